/** Whether the server is up, and what of it is off. */
import type { Routes } from './context.ts'

export const healthRoutes: Routes = (app, { mediaStatus, store }) => {
  app.get('/health', async (_request, reply) => {
    const media = mediaStatus()
    const storeWorks = await store.check().then(
      () => true,
      () => false,
    )
    void reply.code(storeWorks ? 200 : 503).header('cache-control', 'no-store')
    return {
      status: storeWorks ? 'ok' : 'failing',
      store: { available: storeWorks },
      media: media.available
        ? { available: true, workers: media.workers }
        : { available: false, reason: media.reason },
    }
  })
  // Asked by the published client's connection check (contract, signalling §1.4).
  app.get('/ping', (_request, reply) => reply.type('text/plain').send('pong'))
}
