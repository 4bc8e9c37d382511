/** `anteroom init`: what a first start makes, without a start. */
import { readConfig } from '../config/read.ts'
import type { Command } from './arguments.ts'

export const init: Command = {
  name: 'init',
  summary: 'makes the data folder, its database and keys, as a first start does',
  details: 'For setting up before the first start. What is there already stays as it is.',
  run: async ({ env }) => {
    const config = readConfig(env)
    const { openCore } = await import('../server/core.ts')
    const { store, keyRing, secretIn } = await openCore(config, { create: true })
    await store.close()
    const apiKey = keyRing.defaultKey()?.apiKey ?? null
    return {
      json: { dataDir: config.dataDir, apiKey, secretIn },
      text: `data folder  ${config.dataDir}\nAPI key      ${apiKey ?? 'none in force'}\nsecret       in ${secretIn}`,
    }
  },
}
