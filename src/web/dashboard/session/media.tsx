import type { ReactNode } from 'react'
import { useQuery } from '../query.ts'
import { Plot, type Series } from '../parts/plot.tsx'
import { Shown } from '../parts/states.tsx'
import { useProject } from '../project.tsx'
import { formatBitrate, formatNumber, ms } from '../format.ts'
import { SCORES } from '../screens/overview.tsx'
import { changesOf, eventsOf, inOrder, type OutputSpan } from './events.ts'
import { EventList } from './event-list.tsx'
import { readMedia, readStats } from './loading.ts'
import type { MediaSample } from '../../../protocol/rest/quality.ts'
import type { SessionParticipantInFull, SessionStats } from '../../../protocol/rest/sessions.ts'

interface Span {
  sessionId: string
  /** Ms. */
  from: number
  to: number
  everyMs: number | undefined
}

const LAYERS = [0, 1, 2]
const formatMs = (value: number): string => `${formatNumber(value)} ms`
const formatPercent = (value: number): string => `${formatNumber(value)} %`

/** The mean of all participants over time. */
export function MediaOfAll({ sessionId, from, to, everyMs }: Span) {
  const { inProject } = useProject()
  const query = useQuery(() => readStats(inProject, sessionId), `stats ${sessionId}`, everyMs)
  return (
    <Shown query={query}>
      {(stats) => {
        const common = { times: stats.map(({ time }) => ms(time)), from, to }
        const values = (figure: (one: SessionStats['stats'][number]) => number | null) => stats.map(figure)
        return (
          <div className="plots">
            <Plot
              title="Score"
              {...common}
              axis={SCORES}
              format={formatNumber}
              series={[
                { name: 'Sound', values: values(({ qualityScore }) => qualityScore.audio) },
                { name: 'Picture', values: values(({ qualityScore }) => qualityScore.video) },
              ]}
            />
            <Plot
              title="Sent by participants"
              {...common}
              top={1000}
              format={formatBitrate}
              series={[
                { name: 'Sound', values: values((one) => one.averageSendAudioBitrate) },
                { name: 'Picture', values: values((one) => one.averageSendVideoBitrate) },
              ]}
            />
            <Plot
              title="Received by participants"
              {...common}
              top={1000}
              format={formatBitrate}
              series={[
                { name: 'Sound', values: values((one) => one.averageRecvAudioBitrate) },
                { name: 'Picture', values: values((one) => one.averageRecvVideoBitrate) },
              ]}
            />
            <Plot
              title="Round-trip time"
              {...common}
              top={50}
              format={formatMs}
              series={[
                { name: 'Sound', values: values((one) => one.averageAudioRtt) },
                { name: 'Picture', values: values((one) => one.averageVideoRtt) },
              ]}
            />
          </div>
        )
      }}
    </Shown>
  )
}

/** One participant: the connection now, the media over time, and the events. */
export function MediaOfOne({
  participant,
  device,
  outputs,
  sessionId,
  from,
  to,
  everyMs,
}: Span & { participant: SessionParticipantInFull; device: string; outputs: readonly OutputSpan[] }) {
  const { inProject } = useProject()
  const { participantId, name } = participant
  const query = useQuery(
    () => readMedia(inProject, sessionId, participantId),
    `media ${sessionId} ${participantId}`,
    everyMs,
  )
  return (
    <Shown query={query}>
      {(samples) => {
        const common = { times: samples.map(({ time }) => ms(time)), from, to }
        const own = { participantId, who: name || participantId }
        return (
          <>
            <Connection last={samples.at(-1)} device={device} />
            <div className="plots">
              {plots.map(({ title, series, ...how }) => (
                <Plot
                  key={title}
                  title={title}
                  {...common}
                  {...how}
                  series={series.map(([of, figure]): Series => ({
                    name: of,
                    values: samples.map((one) => figure(one)),
                  }))}
                />
              ))}
            </div>
            <EventList events={inOrder([...eventsOf([participant], outputs), ...changesOf(samples, own)])} />
          </>
        )
      }}
    </Shown>
  )
}

const plots: {
  title: string
  format: (value: number) => string
  top?: number
  axis?: readonly number[]
  series: [name: string, figure: (one: MediaSample) => number | null][]
}[] = [
  {
    title: 'Received',
    format: formatBitrate,
    top: 1000,
    series: [
      ['Sound', ({ receive }) => receive.audio.bitrate],
      ['Picture', ({ receive }) => receive.video.bitrate],
      ['The line takes', ({ receive }) => receive.availableBitrate],
    ],
  },
  {
    title: 'Sent',
    format: formatBitrate,
    top: 1000,
    series: [
      ['Sound', ({ send }) => send.audio.bitrate],
      ['Picture', ({ send }) => send.video.bitrate],
    ],
  },
  {
    title: 'Packets lost',
    format: formatPercent,
    top: 4,
    series: [
      ['To the server', ({ send }) => lossOf(send)],
      ['From the server', ({ receive }) => receive.percentLost ?? lossOf(receive)],
    ],
  },
  {
    title: 'Round-trip time',
    format: formatMs,
    top: 50,
    series: [
      ['Sound', ({ send }) => send.audio.roundTripMs],
      ['Picture', ({ send }) => send.video.roundTripMs],
    ],
  },
  {
    title: 'Pictures of others',
    format: formatNumber,
    top: 2,
    series: [
      ['Wanted', ({ receive }) => receive.video.wanted],
      ['Held back', ({ receive }) => receive.video.held],
      ['Not arriving', ({ receive }) => receive.video.missing],
    ],
  },
  {
    title: 'Mean layer received',
    format: formatNumber,
    axis: LAYERS,
    series: [['Layer', ({ receive }) => receive.video.layer]],
  },
  {
    title: 'Lines of the own picture',
    format: formatNumber,
    top: 180,
    series: [['Lines', ({ send }) => send.video.height]],
  },
  {
    title: 'Score',
    format: formatNumber,
    axis: SCORES,
    series: [
      ['Sound', ({ send }) => send.audio.score],
      ['Picture', ({ send }) => send.video.score],
    ],
  },
]

type Counted = Pick<MediaSample['receive']['audio'], 'lost' | 'packets'>

/** The worse loss of sound and video, in percent; null if nothing was sent. */
function lossOf({ audio, video }: { audio: Counted; video: Counted }): number | null {
  const shares = [audio, video].flatMap(({ lost, packets }) =>
    lost === null || !packets ? [] : [(100 * lost) / (packets + lost)],
  )
  return shares.length === 0 ? null : Math.max(...shares)
}

function Connection({ last, device }: { last: MediaSample | undefined; device: string }) {
  const facts: [string, ReactNode][] = [
    ['Browser', device],
    ['Sends over', pathOf(last?.send)],
    ['Receives over', pathOf(last?.receive)],
    ['Media worker', last?.worker.index ?? '–'],
  ]
  return (
    <dl className="facts box">
      {facts.map(([title, text]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  )
}

function pathOf(line: MediaSample['send'] | MediaSample['receive'] | undefined): string {
  if (!line?.protocol) return '–'
  return `${line.protocol.toUpperCase()}${line.ice === null ? '' : `, ICE ${line.ice}`}`
}
