/** `anteroom init`: creates what a first start creates, without starting. */
import { readConfig } from '../config/read.ts'
import type { Command } from './arguments.ts'

export const init: Command = {
  name: 'init',
  summary: 'creates the data folder, its database and keys, as a first start does',
  details: 'Use it to set up before the first start. It leaves existing files unchanged.',
  run: async ({ env }) => {
    const config = readConfig(env)
    const { openCore } = await import('../server/core.ts')
    const { store, keyRing, secretIn } = await openCore(config, { create: true })
    await store.close()
    const apiKey = keyRing.defaultKey()?.apiKey ?? null
    return {
      json: { dataDir: config.dataDir, apiKey, secretIn },
      text: `data folder  ${config.dataDir}\nAPI key      ${apiKey ?? 'no active one'}\nsecret       in ${secretIn}`,
    }
  },
}
