/** `anteroom nodes …` */
import { shownNodes } from '../cluster/nodes-shown.ts'
import { readConfig } from '../config/read.ts'
import { lookForNodes } from '../store/open.ts'
import { CommandError, exitCodes, table, type Command } from './arguments.ts'

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

export const nodeCommands: readonly Command[] = [
  {
    name: 'nodes list',
    summary: 'lists the nodes that share the database, and how busy they are',
    details:
      'Reads the database in DATABASE_URL; no server needs to answer. Nodes that were away for a day are left out.',
    run: async ({ env }) => {
      const { databaseUrl } = readConfig(env)
      if (databaseUrl === undefined)
        throw new CommandError(
          'Only servers over PostgreSQL can be several nodes: set DATABASE_URL to the database that they share.',
          exitCodes.refused,
        )
      const nodes = shownNodes((await lookForNodes(databaseUrl)).nodes, 0).map(
        ({ isHere: _, ...node }) => node,
      )
      return {
        json: nodes,
        text:
          nodes.length === 0
            ? 'There are no nodes: set NODE_ADDRESS on each server that is to be one.'
            : table(
                [
                  'NODE',
                  'ADDRESS',
                  'STATE',
                  'VERSION',
                  'SINCE',
                  'LEASE',
                  'MEETINGS',
                  'PEOPLE',
                  'PROCESSOR',
                  'MEDIA',
                ],
                nodes.map((node) => [
                  node.nodeId,
                  node.address,
                  node.state,
                  node.version,
                  new Date(node.startedAt).toISOString(),
                  seconds(node.leaseAgeMs),
                  String(node.meetings),
                  String(node.participants),
                  `${node.processorPercent} %`,
                  `${node.mediaWorkers} ${node.mediaWorkers === 1 ? 'worker' : 'workers'}`,
                ]),
              ),
      }
    },
  },
]
