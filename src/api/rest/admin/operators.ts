/** What operators may do to each other, and what ends with them. */
import type { GrantEnd, OperatorRecord, OperatorRole } from '../../../store/store.ts'
import type { HttpContext } from '../../context.ts'
import type { AdminIdentity } from './admin.ts'
import { isLess } from '../../../project/roles.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { StoreConflict } from '../../../store/problem.ts'
import { jtiOfOperator, operatorTokenId } from '../../../token/token.ts'

/** The `jti` of a token that an operator mints; undefined for the admin key, which no role bounds. */
export const jtiFor = (by: AdminIdentity, unique: string): string | undefined =>
  by.by === 'key' ? undefined : jtiOfOperator(by.operator.grantId, unique)

/** The operator who acts; null: the admin key. */
export const operatorIdOf = (by: AdminIdentity): string | null =>
  by.by === 'key' ? null : by.operator.operatorId

type Parts = Pick<HttpContext, 'store' | 'revokedTokens' | 'meetings' | 'now'>

const grantEnd = ({ now }: Parts): GrantEnd => ({ tokenIdOf: operatorTokenId, at: now() })

/**
 * Changes a name or a role. With a lower role, what the operator has minted and invited so far ends.
 * @throws {Refusal} NOT_FOUND; INVALID_STATE for the last owner, and for a name that is taken
 */
export async function changeOperator(
  parts: Parts,
  operatorId: string,
  change: { name?: string; role?: OperatorRole },
  newGrantId: string,
): Promise<OperatorRecord> {
  const { store } = parts
  const before = await store.operators.get(operatorId)
  if (!before) throw noOperator()
  const isLower = change.role !== undefined && isLess(change.role, before.role)
  try {
    const changed = await store.operators.change(
      operatorId,
      { ...change, ...(isLower && { grantId: newGrantId }) },
      isLower ? grantEnd(parts) : undefined,
    )
    if (changed === undefined) throw noOperator()
    if (changed === 'last-owner') throw lastOwner()
    if (isLower) await endGrant(parts, before)
    return changed
  } catch (error) {
    throw error instanceof StoreConflict ? nameTaken(error) : error
  }
}

/**
 * Deletes an operator: its sign-ins, links, tokens and invites end.
 * @throws {Refusal} NOT_FOUND; INVALID_STATE for the last owner
 */
export async function deleteOperator(parts: Parts, operatorId: string): Promise<OperatorRecord> {
  const gone = await parts.store.operators.delete(operatorId, grantEnd(parts))
  if (gone === undefined) throw noOperator()
  if (gone === 'last-owner') throw lastOwner()
  await endGrant(parts, gone)
  return gone
}

async function endGrant(
  { store, revokedTokens, meetings }: Parts,
  { grantId }: OperatorRecord,
): Promise<void> {
  for (const { projectId } of await store.projects.list()) {
    const revoked = await revokedTokens.addOperator(projectId, grantId)
    await meetings.evictByCredential(revoked, new Refusal('INVALID_TOKEN', { reason: 'revoked' }))
  }
}

export const noOperator = (): Refusal =>
  new Refusal('NOT_FOUND', { message: 'There is no operator with this id.' })

export const nameTaken = (cause?: unknown): Refusal =>
  new Refusal('INVALID_STATE', { message: 'Another operator has this name.', cause })

const lastOwner = (): Refusal =>
  new Refusal('INVALID_STATE', {
    message: 'The server needs an owner who can sign in; make another operator an owner first.',
    reason: 'last-owner',
  })
