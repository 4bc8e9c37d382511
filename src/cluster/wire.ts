/** The versions of the calls between nodes. Two nodes use the highest version that both support. */
import type { NodeRecord } from '../store/cluster.ts'

/** The versions that this program supports. Within a version, fields may be added but never changed. */
export const WIRE = { wireMin: 1, wireMax: 1 } as const satisfies Pick<NodeRecord, 'wireMin' | 'wireMax'>
