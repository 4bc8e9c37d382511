/** The versions of the calls between nodes. A node calls another in the highest one that both speak. */
import type { NodeRecord } from '../store/cluster.ts'

/** What this program speaks. Within a version, fields are added and never changed. */
export const WIRE = { wireMin: 1, wireMax: 1 } as const satisfies Pick<NodeRecord, 'wireMin' | 'wireMax'>
