/** Gauges of usage, per project and API key, whose number is bounded by what operators create. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface UsageReading {
  projectId: string
  /** Empty: no known key. */
  apiKey: string
  participants: number
  participantMs: number
  receivedBytes: number
  sentBytes: number
  recordingMs: number
  broadcastMs: number
  transcriptionMs: number
  storedBytes: number
  /** The most participants at once today. */
  peak: number
}

const figures: readonly [name: string, help: string, of: (reading: UsageReading) => number][] = [
  ['anteroom_usage_participants_total', 'People who joined a session.', ({ participants }) => participants],
  [
    'anteroom_usage_participant_seconds_total',
    'Time of participants in meetings.',
    (one) => one.participantMs / 1000,
  ],
  ['anteroom_usage_received_bytes_total', 'Media from participants.', ({ receivedBytes }) => receivedBytes],
  ['anteroom_usage_sent_bytes_total', 'Media to participants.', ({ sentBytes }) => sentBytes],
  ['anteroom_usage_recording_seconds_total', 'Length of recordings.', (one) => one.recordingMs / 1000],
  [
    'anteroom_usage_broadcast_seconds_total',
    'Length of HLS and livestreams.',
    (one) => one.broadcastMs / 1000,
  ],
  [
    'anteroom_usage_transcription_seconds_total',
    'Length of transcriptions.',
    (one) => one.transcriptionMs / 1000,
  ],
  ['anteroom_usage_stored_bytes', 'Files of recordings and jobs.', ({ storedBytes }) => storedBytes],
  ['anteroom_usage_peak_participants', 'The most participants at once today, in UTC.', ({ peak }) => peak],
]

/** Returns a function that sets them. All nodes report the same figures: take the maximum, not the sum. */
export function addUsageGauges(registers: Registry[]): (readings: readonly UsageReading[]) => void {
  const shown = figures.map(([name, help, of]) => {
    const options = {
      registers,
      name,
      help: `${help} Counted when they have ended; the same on all nodes.`,
      labelNames: ['project', 'key'],
    }
    return { of, metric: name.endsWith('_total') ? new Counter(options) : new Gauge(options) }
  })
  return (readings) => {
    for (const { metric, of } of shown) {
      metric.reset()
      for (const reading of readings)
        metric.inc({ project: reading.projectId, key: reading.apiKey }, of(reading))
    }
  }
}
