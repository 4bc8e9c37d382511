/** Where the files of outputs are put when these have ended, if the settings name a place. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/read.ts'
import type { OutputParts } from '../meeting/outputs/parts.ts'
import { PutAway } from '../meeting/outputs/put-away.ts'
import type { FileStore } from '../output/files/files.ts'
import { jobsToUpload, recordingsToUpload, Uploads } from '../meeting/outputs/uploads.ts'
import { openFileStore } from '../output/files/open.ts'
import { upload } from '../output/files/upload.ts'
import { mayReach } from './composer.ts'
import type { Ground } from './ground.ts'

/** Holds a folder for each output and job. */
export const outputsFolder = (dataDir: string): string => join(dataDir, 'outputs')

/** Copies of stored files, for as long as programs read them. */
export const borrowedFolder = (dataDir: string): string => join(dataDir, 'borrowed')

/** Puts files into the store, if there is one. What is returned ends it. */
export async function startPuttingAway(
  { config, files, core, now, log }: Ground,
  { kept, folder, folderOf }: OutputParts,
): Promise<() => Promise<void>> {
  // What a server that was killed had borrowed.
  await rm(borrowedFolder(config.dataDir), { recursive: true, force: true })
  if (!files) return () => Promise.resolve()
  const { outputs, jobs } = core.store
  const putAway = new PutAway({ outputs, jobs, files, kept, folder, folderOf, now, log })
  putAway.start()
  return () => putAway.stop()
}

/** Uploads recordings and the files of jobs to the addresses of their starters. What is returned ends it. */
export function startUploads({ config, core, now, log }: Ground, { kept }: OutputParts): () => Promise<void> {
  const { outputs, jobs } = core.store
  const all = [recordingsToUpload(outputs, kept), jobsToUpload(jobs, kept)].map(
    (source) =>
      new Uploads({
        source,
        upload: (address, path, contentType, signal) =>
          upload(address, path, contentType, { mayReach: mayReach(config), signal }),
        now,
        log,
      }),
  )
  for (const uploads of all) uploads.start()
  return async () => {
    await Promise.all(all.map((uploads) => uploads.stop()))
  }
}

/** The store of files that the settings name. */
export function openFiles({
  filesUrl,
  filesAccessKeyId,
  filesSecretAccessKey,
}: Config): FileStore | undefined {
  return (
    filesUrl &&
    openFileStore(
      filesUrl,
      filesAccessKeyId !== undefined && filesSecretAccessKey !== undefined
        ? { accessKeyId: filesAccessKeyId, secretAccessKey: filesSecretAccessKey }
        : undefined,
    )
  )
}
