/** What the roles of operators allow. */
import type { OperatorRole } from '../store/store.ts'

const rank: Record<OperatorRole, number> = { viewer: 0, operator: 1, owner: 2 }

/** Whether somebody with this role may do what needs `needed`: each role may do what the one below it may. */
export const mayAct = (role: OperatorRole, needed: OperatorRole): boolean => rank[role] >= rank[needed]

/** Whether a change of role takes something away, so that what was made under the old one must end. */
export const isLess = (role: OperatorRole, than: OperatorRole): boolean => rank[role] < rank[than]

/** What a call inside a project needs: reading is for every role, anything else is not for viewers. */
export const roleForMethod = (method: string): OperatorRole =>
  method === 'GET' || method === 'HEAD' ? 'viewer' : 'operator'
