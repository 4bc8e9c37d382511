import { useEffect, useId, useRef, useState, type PointerEvent, type RefObject } from 'react'
import { formatExactInstant, formatOnAxis } from '../format.ts'
import { nearestIndex, niceTicks, someOf, timeTicks } from './plot-scale.ts'

/** Colours of series, `.series-0` and on in the style sheet. */
const DASHES = [undefined, '6 3', '2 3'] as const

export interface Series {
  name: string
  /** One value for each instant; null if nothing was measured. */
  values: readonly (number | null)[]
}

export interface PlotProps {
  title: string
  /** Ms since the epoch, ascending. */
  times: readonly number[]
  series: readonly Series[]
  from: number
  to: number
  format: (value: number) => string
  /** Bars for what is counted, lines for what is measured. */
  bars?: boolean
  /** The axis reaches at least this value. */
  top?: number
  /** The ticks of the value axis; default: round numbers from 0 to the largest value. */
  axis?: readonly number[]
  /** Formats an instant; default: to the second, in the reader's time zone. */
  formatTime?: (at: number) => string
  /** Formats a tick of the time axis; if given, ticks are instants of `times` instead of round ones. */
  formatOnAxis?: (at: number) => string
}

const HEIGHT = 168
/** Half the width of the widest label, so that the last one is not cut off. */
const HALF_TICK = 22
const MARGIN = { top: 10, right: 12, bottom: 22, left: 64 }
/** Two points that are more than this many usual distances apart are not connected. */
const GAP = 3.5

/** A plot over time, with the values at the pointer, and a table for screen readers. */
export function Plot({
  title,
  times,
  series,
  from,
  to,
  format,
  bars = false,
  top = 0,
  axis,
  formatTime = formatExactInstant,
  formatOnAxis: onAxis,
}: PlotProps) {
  const holder = useRef<HTMLDivElement>(null)
  const width = useWidth(holder)
  const [under, setUnder] = useState<number>()
  const id = useId()

  const highest = Math.max(top, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)))
  const ticks = axis ?? niceTicks(highest)
  const ceiling = ticks.at(-1)!
  const inner = {
    width: Math.max(1, width - MARGIN.left - MARGIN.right),
    height: HEIGHT - MARGIN.top - MARGIN.bottom,
  }
  const mostTicks = Math.max(2, Math.floor(inner.width / 75))
  const x = (at: number): number => MARGIN.left + ((at - from) / Math.max(1, to - from)) * inner.width
  const y = (value: number): number => MARGIN.top + (1 - value / ceiling) * inner.height

  const point = (event: PointerEvent<SVGSVGElement>): void => {
    const box = event.currentTarget.getBoundingClientRect()
    const at = from + ((event.clientX - box.left - MARGIN.left) / inner.width) * (to - from)
    const index = nearestIndex(times, at)
    setUnder(index < 0 ? undefined : index)
  }
  const shownIndex = under !== undefined && under < times.length ? under : undefined
  const last = (values: Series['values']): number | null => values.findLast((value) => value !== null) ?? null

  return (
    <figure className="plot box" aria-labelledby={id}>
      <figcaption>
        <h3 id={id}>{title}</h3>
        <ul className="legend">
          {series.map(({ name, values }, index) => {
            const value = shownIndex === undefined ? last(values) : (values[shownIndex] ?? null)
            return (
              <li key={name}>
                <span className={`swatch series-${index}`} aria-hidden="true" />
                {name} <b>{value === null ? '–' : format(value)}</b>
              </li>
            )
          })}
        </ul>
      </figcaption>
      <div ref={holder} className="plot-area">
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`${title}; the same as a table below`}
          onPointerMove={point}
          onPointerDown={point}
          onPointerLeave={() => setUnder(undefined)}
        >
          {ticks.map((tick) => (
            <g key={tick}>
              <line
                className="grid-line"
                x1={MARGIN.left}
                x2={width - MARGIN.right}
                y1={y(tick)}
                y2={y(tick)}
              />
              <text className="tick" x={MARGIN.left - 8} y={y(tick) + 4} textAnchor="end">
                {format(tick)}
              </text>
            </g>
          ))}
          {(onAxis
            ? someOf(times, mostTicks)
            : timeTicks(from, to, mostTicks, -new Date().getTimezoneOffset() * 60_000)
          ).map((at) => (
            <text
              key={at}
              className="tick"
              x={Math.min(x(at), width - HALF_TICK)}
              y={HEIGHT - 5}
              textAnchor="middle"
            >
              {onAxis ? onAxis(at) : formatOnAxis(at, to - from)}
            </text>
          ))}
          {bars ? (
            <Bars times={times} series={series} x={x} y={y} width={inner.width} />
          ) : (
            series.map(({ name, values }, index) => (
              <Line key={name} times={times} values={values} index={index} x={x} y={y} />
            ))
          )}
          {shownIndex !== undefined && (
            <g className="reading">
              <line
                x1={x(times[shownIndex]!)}
                x2={x(times[shownIndex]!)}
                y1={MARGIN.top}
                y2={HEIGHT - MARGIN.bottom}
              />
              {!bars &&
                series.map(({ name, values }, index) => {
                  const value = values[shownIndex]
                  return (
                    value !== null &&
                    value !== undefined && (
                      <circle
                        key={name}
                        className={`series-${index}`}
                        cx={x(times[shownIndex]!)}
                        cy={y(value)}
                        r="3.5"
                      />
                    )
                  )
                })}
            </g>
          )}
          {times.length === 0 && (
            <text className="tick" x={MARGIN.left + inner.width / 2} y={HEIGHT / 2} textAnchor="middle">
              Nothing measured yet
            </text>
          )}
        </svg>
        <p className="plot-reading" aria-hidden="true">
          {shownIndex !== undefined && formatTime(times[shownIndex]!)}
        </p>
      </div>
      <FigureTable title={title} times={times} series={series} format={format} formatTime={formatTime} />
    </figure>
  )
}

type Scale = (value: number) => number

function Line({
  times,
  values,
  index,
  x,
  y,
}: {
  times: readonly number[]
  values: Series['values']
  index: number
  x: Scale
  y: Scale
}) {
  const usual = usualDistance(times)
  const runs: [number, number][][] = []
  let before: number | undefined
  values.forEach((value, at) => {
    const time = times[at]!
    if (value === null) before = undefined
    else {
      if (before === undefined || time - before > usual * GAP) runs.push([])
      runs.at(-1)!.push([x(time), y(value)])
      before = time
    }
  })
  return (
    <g className={`line series-${index}`}>
      {runs.map((points) =>
        points.length === 1 ? (
          <circle key={points[0]![0]} cx={points[0]![0]} cy={points[0]![1]} r="2" />
        ) : (
          <polyline
            key={points[0]![0]}
            points={points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ')}
            strokeDasharray={DASHES[index]}
          />
        ),
      )}
    </g>
  )
}

function Bars({
  times,
  series,
  x,
  y,
  width,
}: {
  times: readonly number[]
  series: readonly Series[]
  x: Scale
  y: Scale
  width: number
}) {
  const usual = usualDistance(times)
  const step = Number.isFinite(usual) ? x(usual) - x(0) : width
  const each = Math.max(1, Math.min(14, step * 0.8)) / series.length
  return series.map(({ name, values }, index) => (
    <g key={name} className={`bars series-${index}`}>
      {values.map(
        (value, at) =>
          value !== null &&
          value > 0 && (
            <rect
              key={times[at]}
              x={x(times[at]!) - (each * series.length) / 2 + index * each}
              width={each}
              y={y(value)}
              height={y(0) - y(value)}
            />
          ),
      )}
    </g>
  ))
}

/** The most rows of the table; longer series are thinned. */
const ROWS = 60

function FigureTable({
  title,
  times,
  series,
  format,
  formatTime,
}: Pick<PlotProps, 'title' | 'times' | 'series' | 'format'> & Required<Pick<PlotProps, 'formatTime'>>) {
  const [open, setOpen] = useState(false)
  const rows = someOf(
    times.map((at, index) => ({ at, index })),
    ROWS,
  )
  return (
    <details className="as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        As a table<span className="visually-hidden">: {title}</span>
      </summary>
      {open && (
        <div className="scroll" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {series.map(({ name }) => (
                  <th key={name} scope="col" className="figures">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ at, index }) => (
                <tr key={at}>
                  <td>{formatTime(at)}</td>
                  {series.map(({ name, values }) => {
                    const value = values[index] ?? null
                    return (
                      <td key={name} className="figures">
                        {value === null ? '–' : format(value)}
                      </td>
                    )
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}

/** The median distance between neighbours. */
function usualDistance(times: readonly number[]): number {
  if (times.length < 2) return Infinity
  const distances = times.slice(1).map((at, index) => at - times[index]!)
  return distances.sort((a, b) => a - b)[distances.length >> 1]!
}

/** The current width of an element. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(600)
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) =>
      setWidth(Math.max(200, Math.floor(entry!.contentRect.width))),
    )
    observer.observe(element.current!)
    return () => observer.disconnect()
  }, [element])
  return width
}
