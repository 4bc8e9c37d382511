/** Connects the parts of a server; the only file that knows them all. */
import { Gate } from '../api/limits/gate.ts'
import { openAccess } from './access.ts'
import type { RunningServer } from './contract.ts'
import { startPuttingAway, startUploads } from './files.ts'
import type { Ground } from './ground.ts'
import { openPorts, type OpenPorts } from './http.ts'
import { Pieces } from '../meeting/outputs/pieces.ts'
import { recoverOutputs } from '../meeting/outputs/recovery.ts'
import { alertReader } from './alerts.ts'
import { certificateReading } from './certificate.ts'
import { openMeetings } from './meetings.ts'
import { closeEngines } from './outputs.ts'
import { openWebhooks } from './open-parts.ts'
import { readyNow } from './ready.ts'
import { startUpkeep } from './upkeep.ts'

/** Resolves when the server is ready. If it throws, `ground` is still open. */
export async function connect(ground: Ground): Promise<RunningServer> {
  const { config, parts, core, media, metrics, cluster, tracing, now, log } = ground
  const { store, keyRing } = core
  const webhooks = openWebhooks(config, store, parts, log, metrics)
  await webhooks.refreshDefaults()
  const access = await openAccess(config, { store, keyRing, now })
  const gate = new Gate({ settings: config, now })
  let ports: OpenPorts | undefined
  const urls = (): readonly string[] => ports?.urls ?? []
  const doors = openMeetings(ground, { gate, webhooks, ...access, urls })
  const { meetings, sockets, chatSockets, outputs, jobs } = doors
  metrics.setReaders({
    meetings: () => meetings.counts(),
    sockets: () => ({ meeting: sockets.connections, chat: chatSockets.connections }),
    workers: () => media.usage(),
    webhooks: () => store.outbox.backlog(),
    usage: () => core.usage.reading(),
    certificate: () => ports && certificateReading(ports.certificate()),
    cluster: () => cluster?.reading(),
    alerts: alertReader(ground, () => ports?.certificate()),
  })
  await recoverOutputs(outputs)
  await jobs.resume()
  await meetings.resume()

  let closing: Promise<void> | undefined
  const opened = (ports = await openPorts(ground, {
    ...access,
    ...doors,
    gate,
    webhooks,
    state: () => (closing !== undefined ? 'stopping' : cluster?.drain.isOn ? 'draining' : 'serving'),
  }))
  const stopUpkeep = startUpkeep(ground, { ...access, meetings, webhooks, outputs })
  webhooks.start()
  const stopPuttingAway = await startPuttingAway(ground, outputs)
  const stopUploads = startUploads(ground, outputs)
  const pieces = new Pieces(outputs)
  if (outputs.moves) pieces.start()

  const close = async (): Promise<void> => {
    stopUpkeep()
    cluster?.drain.stop()
    await meetings.suspend()
    await closeEngines(outputs.engines)
    await Promise.all([stopPuttingAway(), stopUploads(), pieces.stop()])
    await jobs.close()
    sockets.close()
    chatSockets.close()
    doors.whiteboardSockets.close()
    doors.checkSockets.close()
    cluster?.peers.cutCarried()
    doors.streamsHere.close()
    await Promise.all([webhooks.stop(), opened.close()])
    await tracing?.close()
    await media.close()
    await cluster?.close()
    await keyRing.writeUses(true)
    await store.close()
    metrics.close()
  }
  return {
    urls: opened.urls,
    meetings,
    ...(cluster && { drain: cluster.drain }),
    ready: await readyNow(config, core, media, {
      command: parts.command ?? 'anteroom',
      urls: opened.urls,
      recordingsOff: outputs.engines.recording.unavailable,
      certificate: opened.certificate().source,
      firstLink: opened.firstLink,
    }),
    close: () => (closing ??= close()),
  }
}
