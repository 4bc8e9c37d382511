/**
 * Tokens of people who knock at a meeting's bare address (docs/decisions/0023). Their `jti` says so, which takes something from
 * them and gives nothing: an app that mints such an id itself only narrows its own token.
 */
import type { Grant } from './grant.ts'

export const jtiOfKnock = (unique: string): string => `knock:${unique}`

/** Whether the holder got the token by knocking. */
export function isOfKnock({ tokenId, entry }: Pick<Grant, 'tokenId' | 'entry'>): boolean {
  return entry === 'ask' && tokenId.startsWith('jti:knock:')
}
