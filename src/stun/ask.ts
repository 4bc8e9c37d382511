/** Asks a media port and a TURN server whether they can be reached, as a browser would. */
import { isIP } from 'node:net'
import { Line, LineFailed, type Protocol } from './line.ts'
import {
  attributes,
  decode,
  decodeAddress,
  encode,
  encodeAddress,
  errorOf,
  isSignedBy,
  longTermKey,
  newTransaction,
  types,
  type Endpoint,
  type Message,
  type Values,
} from './message.ts'

/** What a server's ICE knows its clients by. */
export interface IceCredentials {
  usernameFragment: string
  password: string
}

/**
 * Sends an ICE request to a media port, and returns the address from which the server saw it come.
 * @throws {LineFailed}
 */
export async function askMediaPort(
  protocol: 'udp' | 'tcp',
  endpoint: Endpoint,
  credentials: IceCredentials,
): Promise<{ seen: Endpoint; ms: number }> {
  const line = await Line.open(protocol, endpoint, 'length')
  try {
    const { request, transaction } = iceRequest(credentials)
    const startedAt = performance.now()
    const seen = await line.ask(request, (bytes) => iceAnswer(bytes, transaction, credentials))
    return { seen, ms: performance.now() - startedAt }
  } finally {
    line.close()
  }
}

function iceRequest({ usernameFragment, password }: IceCredentials): {
  request: Buffer
  transaction: Buffer
} {
  const transaction = newTransaction()
  const request = encode(
    types.bindingRequest,
    transaction,
    [
      [attributes.username, `${usernameFragment}:anteroom`],
      [attributes.priority, uint32(1)],
      [attributes.controlling, newTransaction().subarray(0, 8)],
    ],
    password,
  )
  return { request, transaction }
}

function iceAnswer(bytes: Buffer, transaction: Buffer, { password }: IceCredentials): Endpoint | undefined {
  const message = decode(bytes)
  if (message?.type !== types.bindingSuccess || !message.transaction.equals(transaction)) return undefined
  const seen = message.attributes.get(attributes.mappedAddress)
  return seen && isSignedBy(bytes, password) ? decodeAddress(seen, transaction) : undefined
}

export interface TurnUrl extends Endpoint {
  protocol: Protocol
}

/** The parts of a `turn:` or `turns:` address (RFC 7065); undefined for others. */
export function parseTurnUrl(url: string): TurnUrl | undefined {
  const parts = /^(turns?):(?:\[([^\]]+)\]|([^:?]+))(?::(\d+))?(?:\?transport=(udp|tcp))?$/.exec(url)
  if (!parts) return undefined
  const [, scheme, inBrackets, name, port, transport] = parts
  const isSecure = scheme === 'turns'
  return {
    protocol: isSecure ? 'tls' : ((transport as 'udp' | 'tcp' | undefined) ?? 'udp'),
    address: inBrackets ?? name!,
    port: Number(port ?? (isSecure ? 5349 : 3478)),
  }
}

/**
 * Whether a TURN server answers; it asks for a password, and gets none.
 * @throws {LineFailed}
 */
export async function askTurn({ protocol, ...endpoint }: TurnUrl): Promise<void> {
  const line = await Line.open(protocol, endpoint, 'none')
  try {
    await challengeOf(line)
  } finally {
    line.close()
  }
}

export interface TurnAccount {
  username: string
  credential: string
}

/** `refused`: it takes these credentials not. `forbidden`: it relays not to the peer. `silent`: nothing comes back from the peer. */
export type Relayed = { state: 'works' } | { state: 'refused' | 'forbidden' | 'silent'; says: string }

/**
 * Sends an ICE request to a media port by way of a TURN server.
 * @throws {LineFailed} if the TURN server cannot be reached
 */
export async function relayTo(
  { protocol, ...endpoint }: TurnUrl,
  { username, credential }: TurnAccount,
  peer: { endpoint: Endpoint; credentials: IceCredentials },
): Promise<Relayed> {
  const line = await Line.open(protocol, endpoint, 'none')
  try {
    const { realm, nonce } = await challengeOf(line)
    const key = longTermKey(username, realm, credential)
    const own: Values = [
      [attributes.username, username],
      [attributes.realm, realm],
      [attributes.nonce, nonce],
    ]
    const ask = (type: number, transaction: Buffer, values: Values): Promise<Message> =>
      line.ask(encode(type, transaction, [...values, ...own], key), answerTo(transaction))
    const allocated = await ask(types.allocateRequest, newTransaction(), [UDP_TRANSPORT])
    if (allocated.type !== types.allocateSuccess) return { state: 'refused', says: said(allocated) }
    try {
      const permission = newTransaction()
      const permitted = await ask(types.permissionRequest, permission, [
        [attributes.peerAddress, encodeAddress(peer.endpoint, permission)],
      ])
      if (permitted.type !== types.permissionSuccess) return { state: 'forbidden', says: said(permitted) }
      return await passes(line, peer)
    } finally {
      line.send(
        encode(types.refreshRequest, newTransaction(), [[attributes.lifetime, uint32(0)], ...own], key),
      )
    }
  } finally {
    // What was sent last is sent before the line closes.
    setTimeout(() => line.close(), 50)
  }
}

async function passes(
  line: Line,
  { endpoint, credentials }: { endpoint: Endpoint; credentials: IceCredentials },
): Promise<Relayed> {
  const { request, transaction } = iceRequest(credentials)
  const indication = newTransaction()
  const sent = encode(types.sendIndication, indication, [
    [attributes.peerAddress, encodeAddress(endpoint, indication)],
    [attributes.data, request],
  ])
  // Over TCP too, what is relayed is a datagram, which may get lost.
  const repeating = setInterval(() => line.send(sent), 500)
  try {
    await line.ask(sent, (bytes) => {
      const message = decode(bytes)
      const data =
        message?.type === types.dataIndication ? message.attributes.get(attributes.data) : undefined
      return data && iceAnswer(data, transaction, credentials)
    })
    return { state: 'works' }
  } catch (error) {
    if (error instanceof LineFailed) return { state: 'silent', says: error.message }
    throw error
  } finally {
    clearInterval(repeating)
  }
}

/** RFC 8656, section 18.7: the relay sends on over UDP. */
const UDP_TRANSPORT = [attributes.requestedTransport, Buffer.from([17, 0, 0, 0])] as const

async function challengeOf(line: Line): Promise<{ realm: string; nonce: Buffer }> {
  const transaction = newTransaction()
  const answer = await line.ask(
    encode(types.allocateRequest, transaction, [UDP_TRANSPORT]),
    answerTo(transaction),
  )
  const realm = answer.attributes.get(attributes.realm)
  const nonce = answer.attributes.get(attributes.nonce)
  if (!realm || !nonce) throw new LineFailed('what answers is no TURN server that asks for a password')
  return { realm: realm.toString(), nonce }
}

const answerTo =
  (transaction: Buffer) =>
  (bytes: Buffer): Message | undefined => {
    const message = decode(bytes)
    return message?.transaction.equals(transaction) ? message : undefined
  }

function said(message: Message): string {
  const error = errorOf(message)
  return error ? `${error.code} ${error.says}`.trim() : 'no reason'
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** An endpoint as it is shown. */
export const shownEndpoint = ({ address, port }: Endpoint): string =>
  isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
