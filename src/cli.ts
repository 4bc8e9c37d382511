#!/usr/bin/env node
/**
 * The command line: `anteroom serve | token-server | init | projects | keys | token | meeting | webhooks | admin | doctor | move-check`.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { Interruption } from './cli/interruption.ts'

// Before all else is loaded, which takes a moment: nobody but us reads what we write, and the first signal ends us.
process.umask(0o077)
const interruption = new Interruption()

// A third of the processor time of a start is compiling. Where the folder cannot be written, nothing is kept.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'))

const { main } = await import('./cli/main.ts')
await main(process.argv.slice(2), interruption)
