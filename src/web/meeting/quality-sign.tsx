import { memo, useMemo } from 'react'
import { Icon } from '../parts/icon.tsx'
import { text } from '../texts/texts.ts'
import { useModel } from './model.ts'
import { useView } from './use-view.ts'

/** Says on a tile that a connection is weak and whose fault it is, or why there is no picture. */
export const QualitySign = memo(function QualitySign({ id, isSelf }: { id: string; isSelf: boolean }) {
  const { meeting, quality } = useModel()
  const fault = useView(useMemo(() => quality.faultView(id), [quality, id]))
  if (fault === undefined) return null
  if (fault === 'unplayable')
    return (
      <p className="unplayable" role="status">
        {text('quality.unplayable')}
      </p>
    )
  const ownKnown = fault === 'yourNetwork' || fault === 'thisComputer'
  const sendsPicture = isSelf && meeting.devices.camera !== undefined
  const sentence = text(sendsPicture && ownKnown ? `quality.own.${fault}` : `quality.${fault}`)
  return (
    <span className="quality" role="img" aria-label={sentence} title={sentence} data-fault={fault}>
      <Icon name="weak" />
      <span aria-hidden="true">{sentence}</span>
    </span>
  )
})

/** The figures of our own connection. */
export function QualityFigures() {
  const { quality } = useModel()
  const figures = useView(quality.figures)
  if (!figures) return <p>{text('oneMoment')}</p>
  const { roundTripMs, lost, sentKbps, receivedKbps, picture } = figures
  const rows = [
    [text('quality.roundTrip'), roundTripMs === undefined ? '–' : `${roundTripMs} ms`],
    [text('quality.lost'), `${(lost * 100).toFixed(1)} %`],
    [text('quality.up'), `${sentKbps} kbit/s`],
    [text('quality.down'), `${receivedKbps} kbit/s`],
    [text('quality.picture'), picture ? `${picture.width} × ${picture.height}, ${picture.fps} Hz` : '–'],
  ] as const
  return (
    <dl className="figures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd dir="ltr">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
