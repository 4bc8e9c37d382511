/** Draining one of several nodes before it ends. */
import type { HttpContext, Routes } from '../../context.ts'
import { Refusal } from '../../../protocol/errors.ts'
import { DrainBody, DrainedNode, NodeParams } from '../../../protocol/rest/nodes.ts'
import { describe } from '../describe.ts'

const tag = 'Administration'
const path = '/v2/admin/nodes/:nodeId/drain'

export const nodeRoutes: Routes = (app, context) => {
  const order: NonNullable<HttpContext['orderDrain']> = (...given) => {
    if (!context.orderDrain)
      throw new Refusal('INVALID_STATE', { message: 'This server is alone: it has no other nodes.' })
    return context.orderDrain(...given)
  }

  app.post(
    path,
    describe({
      audit: 'node.drain',
      summary: 'Drain a node: it takes no new meetings, its meetings end or move, and then it ends',
      tag,
      access: 'admin',
      role: 'operator',
      description:
        'Answers at once. People whose meeting moves are cut off; their clients come back to the same session by themselves. A second call changes the time.',
      params: NodeParams,
      body: DrainBody,
      answer: DrainedNode,
      refusals: ['NOT_FOUND', 'INVALID_STATE', 'HOME_UNREACHABLE'],
    }),
    async (request): Promise<DrainedNode> => {
      const { nodeId } = request.params
      const { withinSeconds } = request.body
      const withinMs = withinSeconds === undefined ? undefined : withinSeconds * 1000
      return { nodeId, ...(await order(nodeId, { withinMs })) }
    },
  )
  app.delete(
    path,
    describe({
      audit: 'node.drain-cancel',
      summary: 'Cancel the drain of a node; what has moved stays where it is',
      tag,
      access: 'admin',
      role: 'operator',
      params: NodeParams,
      answer: DrainedNode,
      refusals: ['NOT_FOUND', 'INVALID_STATE', 'HOME_UNREACHABLE'],
    }),
    async (request): Promise<DrainedNode> => {
      const { nodeId } = request.params
      return { nodeId, ...(await order(nodeId, { cancel: true })) }
    },
  )
}
