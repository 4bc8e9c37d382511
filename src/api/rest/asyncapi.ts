/** Generates the AsyncAPI document of the meeting's socket from the schemas of `protocol/`. */
import { Type, type TSchema } from 'typebox'
import type { HttpContext, Routes } from '../context.ts'
import { JoinReply, notifications, serverRequests } from '../../protocol/notifications.ts'
import { requests } from '../../protocol/requests.ts'
import { describe } from './describe.ts'

const ABOUT = `What crosses the socket of a meeting, as published clients since 0.2 of VideoSDK know it: socket.io 4 over WebSocket alone.
Anteroom is not affiliated with VideoSDK.

A client opens the socket with \`roomId\` (the meeting) and \`secret\` (the token) in the query, and with \`peerId\`, the id that it takes. The server
sends the event \`connectionSuccess\`; then the client asks to come in with \`requestEntry\`, prepares its media, and sends \`join\`.
What the server has to say it sends as events \`notification\`, or many at once as \`batchNotification\` with \`notifications\`.
Fields that a schema does not name are ignored. Chat has a socket of its own, whose address is in the answer to \`join\`.`

const CHANNEL = 'meeting'

interface Message {
  name: string
  summary: string
  payload: TSchema
}
interface Operation {
  action: 'send' | 'receive'
  summary: string
  message: string
  replies?: string[]
}

/** AsyncAPI 3.0; `send` means sent by the server. */
function asyncapiDocument({
  server: { version },
  settings: { publicUrl },
}: Pick<HttpContext, 'server' | 'settings'>): object {
  const messages: Record<string, Message> = {
    connectionSuccess: {
      name: 'connectionSuccess',
      summary: 'The token is valid; the server accepts requests.',
      payload: Type.Object({}),
    },
    close: {
      name: 'close',
      summary: 'The client must leave and not reconnect.',
      payload: Type.Object({ reason: Type.Object({ code: Type.Integer(), message: Type.String() }) }),
    },
    answered: {
      name: 'acknowledgement',
      summary: 'The request succeeded.',
      payload: Type.Object({ data: Type.Unknown() }),
    },
    refused: {
      name: 'acknowledgement',
      summary: 'The request was refused and had no effect.',
      payload: Type.Object({
        data: Type.Object({
          status: Type.Literal('error'),
          errorCode: Type.Integer({ description: 'For programs.' }),
          code: Type.String({ description: 'The name of that number.' }),
          message: Type.String({ description: 'For people.' }),
        }),
      }),
    },
    joined: {
      name: 'acknowledgement',
      summary: 'The participant is inside.',
      payload: Type.Object({ data: JoinReply }),
    },
    acknowledged: {
      name: 'acknowledgement',
      summary: 'The client has done what the event requests.',
      payload: Type.Unknown(),
    },
  }
  const operations: Record<string, Operation> = {
    connectionSuccess: {
      action: 'send',
      summary: messages.connectionSuccess!.summary,
      message: 'connectionSuccess',
    },
    close: { action: 'send', summary: messages.close!.summary, message: 'close' },
  }

  for (const [method, { states, data }] of Object.entries(requests)) {
    const id = `request.${method}`
    const summary = `May be sent while ${states.join(', ')}.`
    messages[id] = {
      name: 'request',
      summary,
      payload: Type.Object({ method: Type.Literal(method), data }),
    }
    operations[id] = {
      action: 'receive',
      summary,
      message: id,
      replies: [method === 'join' ? 'joined' : 'answered', 'refused'],
    }
  }
  for (const [method, fields] of Object.entries(notifications)) {
    const id = `notification.${method}`
    const summary = `The server tells \`${method}\`.`
    messages[id] = {
      name: 'notification',
      summary,
      payload: Type.Object({ method: Type.Literal(method), ...fields.properties }),
    }
    operations[id] = { action: 'send', summary, message: id }
  }
  for (const [event, payload] of Object.entries(serverRequests)) {
    const id = `event.${event}`
    const summary = `The server asks for \`${event}\`.`
    messages[id] = { name: event, summary, payload }
    operations[id] = { action: 'send', summary, message: id, replies: ['acknowledged'] }
  }

  const inChannel = (id: string) => ({ $ref: `#/channels/${CHANNEL}/messages/${id}` })
  const channel = { $ref: `#/channels/${CHANNEL}` }
  return {
    asyncapi: '3.0.0',
    info: { title: 'Anteroom: the meeting socket', version, description: ABOUT, license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    ...(publicUrl !== undefined && { servers: { here: serverAt(new URL(publicUrl)) } }),
    channels: {
      [CHANNEL]: {
        address: '/socket.io/',
        messages: Object.fromEntries(
          Object.keys(messages).map((id) => [id, { $ref: `#/components/messages/${id}` }]),
        ),
      },
    },
    operations: Object.fromEntries(
      Object.entries(operations).map(([id, { action, summary, message, replies }]) => [
        id,
        {
          action,
          channel,
          summary,
          messages: [inChannel(message)],
          ...(replies && { reply: { channel, messages: replies.map(inChannel) } }),
        },
      ]),
    ),
    components: { messages },
  }
}

function serverAt({ protocol, host, pathname }: URL) {
  return {
    host,
    protocol: protocol === 'http:' ? 'ws' : 'wss',
    ...(pathname !== '/' && { pathname }),
  }
}

export const asyncapiRoutes: Routes = (app, context) => {
  const document = asyncapiDocument(context)
  app.get(
    '/asyncapi.json',
    describe({
      summary: 'Get the messages of the meeting’s socket',
      tag: 'Server',
      access: 'open',
      description: 'AsyncAPI 3.0; the same table for people is in `docs/wire.md`.',
      answer: Type.Record(Type.String(), Type.Unknown()),
    }),
    () => document as Record<string, unknown>,
  )
}
