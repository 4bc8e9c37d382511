/** The public names of the package; tokens alone are at `anteroom/token`, the browser SDK at `anteroom/client`. */
export { readConfig, type Config } from './config/read.ts'
export { ConfigError, StartError } from './errors.ts'
export { startServer } from './server/start.ts'
export { startTokenServer } from './server/token-server.ts'
export type { RunningServer } from './server/contract.ts'
export {
  createMinter,
  createVerifier,
  explainToken,
  mintToken,
  parseDuration,
  type Grant,
  type MintOptions,
  type SigningKey,
} from './token/token.ts'
export { Refusal, type ErrorName } from './protocol/errors.ts'
