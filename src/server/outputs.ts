/** Wires what leaves meetings: the engines, where their files are, and how pages of ours come to a meeting. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { HttpContext } from '../api/context.ts'
import type { OutputParts } from '../meeting/outputs/parts.ts'
import type { Announce } from '../meeting/session/session-log.ts'
import type { Logger } from 'pino'
import type { Config } from '../config/read.ts'
import { KeptFiles } from '../meeting/outputs/kept-files.ts'
import { composerOptions, mayReach, type OwnAddresses } from './composer.ts'
import { freeBytes } from '../output/disk.ts'
import { createOutputs, type OutputsOptions } from '../output/create.ts'
import type { OutputEngine, Outputs, Thumbnail } from '../output/output.ts'
import { uploadProblem } from '../output/files/upload.ts'
import { findPrograms } from '../output/programs.ts'
import { Refusal } from '../protocol/errors.ts'
import { mintToken } from '../token/token.ts'
import { endPointProblem } from '../webhook/guard.ts'
import { borrowedFolder, outputsFolder } from './files.ts'
import { newId, type Ground } from './ground.ts'

export function openOutputs(
  ground: Ground,
  announce: Announce,
  urls: OwnAddresses,
  followUp: OutputParts['followUp'],
): OutputParts {
  const { config, parts, core, cluster, now, log } = ground
  const { store, keyRing } = core
  const outputs = outputsFolder(config.dataDir)
  const folderOf = (outputId: string): string => join(outputs, outputId)
  const kept = new KeptFiles({
    outputs: store.outputs,
    jobs: store.jobs,
    files: ground.files,
    onNode: cluster && ((nodeId) => cluster.files.on(nodeId)),
    folderOf,
    borrowedFolder: borrowedFolder(config.dataDir),
    hasRoom: async (bytes) =>
      (await freeBytes(config.dataDir)) >= config.diskReserveMegabytes * 1_000_000 + bytes,
    newId,
    now,
    beforeDrop: () => core.usage.count(),
  })
  return {
    engines:
      parts.outputs ??
      createOutputs({
        composer: composerOptions(ground, urls),
        transcription: transcriberOptions(config, now, log),
        recorder: {
          ffmpeg: findPrograms(config, process.env.PATH ?? '').ffmpegBin,
          reserveBytes: config.diskReserveMegabytes * 1_000_000,
          now,
          log,
        },
      }),
    store,
    announce,
    now,
    newOutputId: newId,
    newSecretId: () => randomBytes(18).toString('base64url'),
    followUp,
    folder: outputs,
    folderOf,
    makeFolder: (path) => {
      const folder = folderOf(path)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      return folder
    },
    kept,
    dropFolder: (outputId) => rm(folderOf(outputId), { recursive: true, force: true }),
    mintToken: (projectId, roomId, participantId) => {
      const key = keyRing.defaultKey(projectId)
      if (!key)
        throw new Refusal('INVALID_API_KEY', { message: 'The project has no API key that is in force.' })
      return mintToken({
        apiKey: key.apiKey,
        secret: key.secret,
        now: now(),
        roomId,
        participantId,
        permissions: ['allow_join'],
      })
    },
    problemOfWebhook: (url) => endPointProblem(url, config.webhookAllowPrivate),
    problemOfUpload: (url) => uploadProblem(url, mayReach(config)),
    onError: (error, message) => log.error({ err: error }, message),
    warn: (fields, message) => log.warn(fields, message),
    ending: new Set(),
    moves: config.nodeAddress !== undefined,
    making: new Set(),
    isStopping: false,
  }
}

/** How long ffmpeg may take for a picture on a busy machine. */
const CAPTURE_MS = 20_000

/** Takes pictures of HLS outputs, each at the node that has its files. */
export function hlsCapture(
  { core, cluster }: Ground,
  { kept, engines }: OutputParts,
): HttpContext['captureHls'] {
  const here: HttpContext['captureHls'] = (output, picture) =>
    kept.add(output, (folder) =>
      engines.hls.takeThumbnail({ ...picture, folder, borrow: (path) => kept.borrow(output, path) }),
    )
  if (!cluster) return here
  cluster.errands.set('captureHls', here)
  return async (output, picture) => {
    const node = output.storedAt === null ? await core.store.outputs.elsewhere(output.outputId) : undefined
    if (node === undefined) return here(output, picture)
    const taken = await cluster.runErrand(node, 'captureHls', [output, picture], CAPTURE_MS)
    return taken as Thumbnail | undefined
  }
}

function transcriberOptions(config: Config, now: () => number, log: Logger): OutputsOptions['transcription'] {
  const { transcriptionUrl: url, transcriptionApiKey: apiKey, transcriptionModel: model } = config
  return {
    endpoint: url === undefined ? undefined : { url, apiKey, model },
    modelFolder: config.transcriptionModelFolder,
    summaryModel: config.summaryModel,
    ffmpegBin: findPrograms(config, process.env.PATH ?? '').ffmpegBin,
    now,
    random: Math.random,
    log,
  }
}

/** No child process is left. */
export async function closeEngines(engines: Outputs): Promise<void> {
  await Promise.all(Object.values<OutputEngine<unknown>>({ ...engines }).map((engine) => engine.close()))
}
