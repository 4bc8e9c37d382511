/**
 * Tokens of people who knock at a meeting's bare address (docs/decisions/0023). They are recognised by their `jti`,
 * which only restricts them: an app that mints such a `jti` itself narrows its own token.
 */
import type { Grant } from './grant.ts'

export const jtiOfKnock = (unique: string): string => `knock:${unique}`

/** Whether the holder got the token by knocking. */
export function isOfKnock({ tokenId, entry }: Pick<Grant, 'tokenId' | 'entry'>): boolean {
  return entry === 'ask' && tokenId.startsWith('jti:knock:')
}
