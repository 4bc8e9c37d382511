/** The webhooks that reported an output or a job. */
import type { Store } from '../../../store/store.ts'
import type { WebhookCounts } from '../../../protocol/rest/outputs.ts'

/** Of an output or a job that nothing has reported yet. */
export const noWebhooks: WebhookCounts = { totalCount: 0, successCount: 0, data: [] }

/** Fills in the counts of outputs or jobs in the shape of the REST API; those without the field stay as they are. */
export async function withWebhookCounts<T extends { id: string; webhook?: WebhookCounts }>(
  { outbox }: Pick<Store, 'outbox'>,
  shown: readonly T[],
): Promise<T[]> {
  const reporting = await outbox.reporting(shown.filter(({ webhook }) => webhook).map(({ id }) => id))
  const byId = Map.groupBy(reporting, ({ about }) => about)
  return shown.map((one) => {
    const data = (byId.get(one.id) ?? []).map(({ event, state }) => ({
      type: event,
      success: state === 'delivered',
    }))
    if (data.length === 0) return one
    const successCount = data.filter(({ success }) => success).length
    return { ...one, webhook: { totalCount: data.length, successCount, data } }
  })
}

/** The same for one. */
export async function withWebhookCount<T extends { id: string; webhook?: WebhookCounts }>(
  store: Pick<Store, 'outbox'>,
  shown: T,
): Promise<T> {
  const [counted] = await withWebhookCounts(store, [shown])
  return counted!
}
