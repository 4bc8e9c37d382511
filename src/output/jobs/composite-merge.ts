import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputFile } from '../output.ts'
import { makeComposite } from './composite.ts'
import type { CompositeMergeConfig, JobEngine } from './job.ts'

/** Lays out recordings of participants and tracks in one picture. */
export function compositeMerge(ffmpegBin: string): JobEngine['run'] {
  return async (config, { folder, inputs, signal }) => {
    const { watermark, screens } = config as unknown as CompositeMergeConfig
    const parts = inputs.map(({ path, startedAt, endedAt, participantId, participantName, group }) => ({
      path,
      startedAt,
      endedAt,
      owner: participantId ?? '',
      ownerName: participantName ?? '',
      isScreen: group === screens,
    }))
    const marks = watermark === null ? [] : [watermark]
    const file = await makeComposite({ ffmpegBin, folder, signal, parts, marks, fileFormat: 'mp4' })
    await keepOnly(folder, file)
    return [file]
  }
}

/** Deletes what it took to make a file. */
async function keepOnly(folder: string, { path }: OutputFile): Promise<void> {
  for (const name of await readdir(folder))
    if (name !== path) await rm(join(folder, name), { recursive: true, force: true })
}
