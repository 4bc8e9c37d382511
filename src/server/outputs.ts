/** Wires what leaves meetings: the engines, where their files are, and how pages of ours come to a meeting. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputParts } from '../meeting/outputs/parts.ts'
import type { Announce } from '../meeting/session/session-log.ts'
import type { Logger } from 'pino'
import type { Config } from '../config/read.ts'
import { KeptFiles } from '../meeting/outputs/kept-files.ts'
import { composerOptions, mayReach, type OwnAddresses } from './composer.ts'
import { freeBytes } from '../output/disk.ts'
import { createOutputs, type OutputsOptions } from '../output/create.ts'
import type { OutputEngine, Outputs } from '../output/output.ts'
import { uploadProblem } from '../output/files/upload.ts'
import { findPrograms } from '../output/programs.ts'
import { Refusal } from '../protocol/errors.ts'
import { mintToken } from '../token/token.ts'
import { endPointProblem } from '../webhook/guard.ts'
import { borrowedFolder } from './files.ts'
import { newId, type Ground } from './ground.ts'

export function openOutputs(
  ground: Ground,
  announce: Announce,
  urls: OwnAddresses,
  followUp: OutputParts['followUp'],
): OutputParts {
  const { config, parts, core, now, log } = ground
  const { store, keyRing } = core
  const outputs = join(config.dataDir, 'outputs')
  const folderOf = (outputId: string): string => join(outputs, outputId)
  const kept = new KeptFiles({
    outputs: store.outputs,
    jobs: store.jobs,
    files: ground.files,
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
