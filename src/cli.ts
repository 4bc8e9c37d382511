#!/usr/bin/env node
/**
 * The command line: `anteroom serve | token-server | init | projects | keys | token | meeting | webhooks | admin | doctor | move-check`.
 */
import { Interruption } from './cli/interruption.ts'

// Before all else is loaded, which takes a moment: nobody but us reads what we write, and the first signal ends us.
process.umask(0o077)
const interruption = new Interruption()

const { main } = await import('./cli/main.ts')
await main(process.argv.slice(2), interruption)
