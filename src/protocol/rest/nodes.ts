/** Shapes of orders to one of several nodes, for the operator. */
import { Type, type Static } from 'typebox'

export const NodeParams = Type.Object({ nodeId: Type.String({ minLength: 1, maxLength: 100 }) })

export const DrainBody = Type.Object({
  withinSeconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 86_400,
      description: 'When the last meeting has moved; by default DRAIN_SECONDS of that node.',
    }),
  ),
})

const Count = Type.Integer({ minimum: 0 })

export const DrainedNode = Type.Object({
  nodeId: Type.String(),
  state: Type.Union([Type.Literal('serving'), Type.Literal('draining')]),
  meetings: Count,
  participants: Count,
})
export type DrainedNode = Static<typeof DrainedNode>
