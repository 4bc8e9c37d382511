import { useRef } from 'react'
import { isolated } from '../../isolate.ts'
import { Foreign } from '../../parts/foreign.tsx'
import type { OpenSpan, SessionParticipantInFull } from '../../../protocol/rest/sessions.ts'
import { ms, formatExactTime, formatOnAxis, formatReason, formatSpan } from '../format.ts'
import { timeTicks } from './plot-scale.ts'
import { useWidth } from './plot.tsx'

const LANES = [
  ['mic', 'Microphone'],
  ['webcam', 'Camera'],
  ['screenShare', 'Screen'],
] as const

const ROW = 46
const AXIS = 24
const LEAST_WIDTH = 420

/** Draws who was in the session and when: a bar for each stay, with the times of microphone, camera and screen. */
export function Timeline({
  participants,
  from,
  to,
}: {
  participants: readonly SessionParticipantInFull[]
  /** Ms. */
  from: number
  to: number
}) {
  const holder = useRef<HTMLDivElement>(null)
  const width = Math.max(LEAST_WIDTH, useWidth(holder) - 2)
  const names = Math.min(190, Math.max(124, Math.floor(width * 0.26)))
  const inner = width - names - 16
  const x = (at: number): number =>
    names + ((Math.min(Math.max(at, from), to) - from) / Math.max(1, to - from)) * inner
  const height = AXIS + participants.length * ROW + 6

  return (
    <div className="timeline">
      <ul className="legend">
        <li>
          <span className="swatch stay" aria-hidden="true" /> In the meeting
        </li>
        {LANES.map(([lane, title]) => (
          <li key={lane}>
            <span className={`swatch lane-${lane}`} aria-hidden="true" /> {title}
          </li>
        ))}
      </ul>
      <div ref={holder} className="scroll" tabIndex={0} role="region" aria-label="Timeline of stays">
        <svg
          width={width}
          height={height}
          role="img"
          aria-label="Timeline of stays; the same as a table below"
        >
          {timeTicks(
            from,
            to,
            Math.max(2, Math.floor(inner / 90)),
            -new Date().getTimezoneOffset() * 60_000,
          ).map((at) => (
            <g key={at}>
              <line className="grid-line" x1={x(at)} x2={x(at)} y1={AXIS} y2={height} />
              <text className="tick" x={x(at)} y={15} textAnchor={x(at) > width - 30 ? 'end' : 'middle'}>
                {formatOnAxis(at, to - from)}
              </text>
            </g>
          ))}
          {participants.map((participant, index) => {
            const y = AXIS + index * ROW
            return (
              <g key={participant.participantId}>
                <text className="who" x={4} y={y + 20}>
                  <title>{isolated(participant.name || participant.participantId)}</title>
                  {isolated(shorten(participant.name || participant.participantId, (names - 10) / 7.6))}
                </text>
                {participant.timelog.map((stay) => (
                  <g key={stay.start}>
                    <rect
                      className="stay"
                      x={x(ms(stay.start))}
                      y={y + 8}
                      rx="4"
                      {...extent(stay, x, to)}
                      height="30"
                    >
                      <title>
                        {formatExactTime(stay.start)} to {stay.end ? formatExactTime(stay.end) : 'now'}
                        {stay.end && `: ${why(stay)}`}
                      </title>
                    </rect>
                  </g>
                ))}
                {LANES.map(([lane, title], row) =>
                  participant.events[lane].map((span) => (
                    <rect
                      key={`${lane}${span.start}`}
                      className={`lane-${lane}`}
                      x={x(ms(span.start))}
                      y={y + 13 + row * 7.5}
                      rx="2"
                      {...extent(span, x, to)}
                      height="5"
                    >
                      <title>
                        {title} {formatExactTime(span.start)} to{' '}
                        {span.end ? formatExactTime(span.end) : 'now'}
                      </title>
                    </rect>
                  )),
                )}
              </g>
            )
          })}
        </svg>
      </div>
      <details className="as-table">
        <summary>
          As a table<span className="visually-hidden">: stays</span>
        </summary>
        <div className="scroll" tabIndex={0} role="region" aria-label="Stays, as a table">
          <table>
            <thead>
              <tr>
                {['Participant', 'From', 'To', 'Why', 'Microphone on', 'Camera on', 'Screen on'].map(
                  (title) => (
                    <th key={title} scope="col">
                      {title}
                    </th>
                  ),
                )}
              </tr>
            </thead>
            <tbody>
              {participants.flatMap((participant) =>
                participant.timelog.map((stay) => (
                  <tr key={participant.participantId + stay.start}>
                    <td>
                      <Foreign text={participant.name || participant.participantId} />
                    </td>
                    <td>{formatExactTime(stay.start)}</td>
                    <td>{stay.end ? formatExactTime(stay.end) : 'still there'}</td>
                    <td>{why(stay) || '–'}</td>
                    {LANES.map(([lane]) => (
                      <td key={lane}>{formatSpan(overlap(participant.events[lane], stay, to))}</td>
                    ))}
                  </tr>
                )),
              )}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  )
}

const why = ({ end, leaveReason }: SessionParticipantInFull['timelog'][number]): string =>
  end === null ? '' : formatReason(leaveReason)

const endOf = ({ end }: OpenSpan, to: number): number => (end === null ? to : ms(end))

function extent(span: OpenSpan, x: (at: number) => number, to: number): { width: number } {
  return { width: Math.max(2, x(endOf(span, to)) - x(ms(span.start))) }
}

/** The sum of these spans within a stay, in ms. */
function overlap(spans: readonly OpenSpan[], stay: OpenSpan, to: number): number {
  const [from, until] = [ms(stay.start), endOf(stay, to)]
  return spans.reduce(
    (sum, span) => sum + Math.max(0, Math.min(until, endOf(span, to)) - Math.max(from, ms(span.start))),
    0,
  )
}

function shorten(text: string, letters: number): string {
  const all = Array.from(text)
  return all.length > letters ? `${all.slice(0, Math.max(1, Math.floor(letters) - 1)).join('')}…` : text
}
