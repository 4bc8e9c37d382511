/** How long each kind of data is kept. Operators are asked about this. */
import type { Config } from '../config/read.ts'
import type { Finding } from './finding.ts'

export function kept(
  config: Pick<
    Config,
    | 'retentionDays'
    | 'chatRetentionDays'
    | 'webhookRetentionDays'
    | 'statsRetentionDays'
    | 'outputRetentionDays'
    | 'transcriptRetentionDays'
    | 'usageRetentionDays'
    | 'auditRetentionDays'
  >,
): Finding {
  const { retentionDays, outputRetentionDays } = config
  const times = {
    sessions: retentionDays,
    chat: config.chatRetentionDays || retentionDays,
    webhooks: config.webhookRetentionDays ?? retentionDays,
    measurements: config.statsRetentionDays,
    recordings: outputRetentionDays,
    transcripts: config.transcriptRetentionDays ?? outputRetentionDays,
    usage: config.usageRetentionDays,
    'audit log': config.auditRetentionDays,
  }
  const byTime = Map.groupBy(Object.entries(times), ([, days]) => days)
  const says = [...byTime].map(
    ([days, kinds]) =>
      `${kinds.map(([kind]) => kind).join(', ')}: ${days === 0 ? 'for ever' : `${days} ${days === 1 ? 'day' : 'days'}`}`,
  )
  return { check: 'kept', verdict: 'good', says: says.join('; ') }
}
