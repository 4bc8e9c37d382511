/** `anteroom drain` */
import { setTimeout as delay } from 'node:timers/promises'
import { readAdminKey } from '../api/rest/admin/admin-key.ts'
import { randomBytes } from 'node:crypto'
import { readConfig } from '../config/read.ts'
import type { DrainedNode } from '../protocol/rest/nodes.ts'
import type { NodeRecord } from '../store/cluster.ts'
import { parseDuration } from '../token/token.ts'
import { CommandError, exitCodes, type Command, type CommandInput } from './arguments.ts'
import { askServer } from './ask-server.ts'

const LOOK_MS = 500

export const drain: Command = {
  name: 'drain',
  summary: 'empties one of several nodes: its meetings end or move to other nodes, then it ends',
  details:
    'Asks the running server with these settings, and waits until the node has ended. Meetings may end by themselves until the time that moving\nthe others takes is left. People whose meeting moves come back to it by themselves.',
  options: {
    node: { value: 'id', help: 'the node; default: NODE_ID, or NODE_ADDRESS, of these settings' },
    within: { value: 'span', help: '15m, 2h: when the last meeting has moved; default: its DRAIN_SECONDS' },
    now: { help: 'meetings move at once' },
    cancel: { help: 'the node takes meetings again' },
  },
  run: async ({ env, values, show }) => {
    const { databaseUrl, nodeId: ownId, nodeAddress, adminKey: given, dataDir: folder } = readConfig(env)
    if (nodeAddress === undefined || databaseUrl === undefined)
      throw new CommandError('NODE_ADDRESS is not set: this server is not one of several nodes.')
    const nodeId = typeof values.node === 'string' ? values.node : (ownId ?? nodeAddress)
    const withinSeconds = values.now === true ? 0 : secondsOf(values.within)
    const adminKey = await readAdminKey({ given, folder, randomBytes, create: false })
    const order = (method: 'POST' | 'DELETE'): Promise<DrainedNode> =>
      askServer(
        env,
        `/v2/admin/nodes/${encodeURIComponent(nodeId)}/drain`,
        { withinSeconds },
        `Bearer ${adminKey}`,
        method,
      )
    if (values.cancel === true) {
      await order('DELETE')
      return { json: { nodeId, state: 'serving' }, text: `${nodeId} takes meetings again` }
    }
    // Loaded on demand, so that a command that only prints its help starts at once.
    const { openClusterTables } = await import('../store/open.ts')
    const tables = openClusterTables(databaseUrl)
    try {
      const find = async (): Promise<NodeRecord | undefined> =>
        (await tables.nodes()).find((one) => one.nodeId === nodeId && one.isLive)
      const incarnation = (await find())?.incarnation
      const { meetings, participants } = await order('POST')
      await show({
        json: { nodeId, state: 'draining', meetings, participants },
        text: `draining ${nodeId}: ${meetings} meetings with ${participants} people`,
      })
      let wasDraining = false
      for (;;) {
        const node = await find()
        if (node?.incarnation !== incarnation) break
        if (wasDraining && node?.state === 'serving')
          throw new CommandError(`The drain of ${nodeId} was cancelled.`, exitCodes.refused)
        wasDraining = node?.state === 'draining'
        await delay(LOOK_MS)
      }
    } finally {
      await tables.close()
    }
    return { json: { nodeId, state: 'gone' }, text: `${nodeId} is empty and has ended` }
  },
}

function secondsOf(span: CommandInput['values'][string]): number | undefined {
  return typeof span === 'string' ? parseDuration(span) : undefined
}
