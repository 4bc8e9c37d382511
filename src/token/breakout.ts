/**
 * Tokens with which participants enter a breakout room (docs/decisions/0029). Their `jti` names, as a hash, the token with which the holder
 * is in the meeting that the room belongs to.
 */
import { createHash } from 'node:crypto'
import type { Grant } from './grant.ts'

/** @param tokenId of the grant in the parent meeting @param unique makes the id unique */
export const jtiOfBreakout = (tokenId: string, unique: string): string =>
  `breakout:${digestOf(tokenId)}:${unique}`

const BREAKOUT = /^jti:breakout:([\w-]{22}):/

/** Whether a token of a breakout room was given to the holder of this token. */
export function wasGivenFor({ tokenId: given }: Pick<Grant, 'tokenId'>, tokenId: string): boolean {
  return given.startsWith('jti:breakout:') && BREAKOUT.exec(given)?.[1] === digestOf(tokenId)
}

function digestOf(tokenId: string): string {
  return createHash('sha256').update(tokenId).digest('base64url').slice(0, 22)
}
