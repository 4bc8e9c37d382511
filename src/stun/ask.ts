/** Asks a media port and a TURN server whether they can be reached, as a browser would. */
import { isIP } from 'node:net'
import { classes, makeIntegrityKey, Message, methods, parseMessage } from 'werift'
import { Line, LineFailed, type Endpoint } from './line.ts'
import type { TurnUrl } from './turn-url.ts'

export { LineFailed }

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
    const request = iceRequest(credentials)
    const startedAt = performance.now()
    const seen = await line.ask(request.bytes, (bytes) => iceAnswer(bytes, request, credentials))
    return { seen, ms: performance.now() - startedAt }
  } finally {
    line.close()
  }
}

function iceRequest({ usernameFragment, password }: IceCredentials): Message {
  return new Message(methods.BINDING, classes.REQUEST)
    .setAttribute('USERNAME', `${usernameFragment}:anteroom`)
    .setAttribute('PRIORITY', 1)
    .setAttribute('ICE-CONTROLLING', 1n)
    .addMessageIntegrity(Buffer.from(password))
    .addFingerprint()
}

function iceAnswer(bytes: Buffer, request: Message, { password }: IceCredentials): Endpoint | undefined {
  const message = parseMessage(bytes, Buffer.from(password))
  if (message?.messageClass !== classes.RESPONSE || message.transactionIdHex !== request.transactionIdHex)
    return undefined
  const seen = message.getAttributeValue('XOR-MAPPED-ADDRESS') as [string, number] | undefined
  return seen && { address: seen[0], port: seen[1] }
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

/** `refused`: it does not accept the credentials. `forbidden`: it does not relay to the peer. `silent`: nothing comes back from the peer. */
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
    const key = makeIntegrityKey(username, realm, credential)
    const signed = (request: Message): Message =>
      request
        .setAttribute('USERNAME', username)
        .setAttribute('REALM', realm)
        .setAttribute('NONCE', nonce)
        .addMessageIntegrity(key)
        .addFingerprint()
    const allocated = await ask(line, signed(allocateRequest()))
    if (allocated.messageClass !== classes.RESPONSE) return { state: 'refused', says: said(allocated) }
    try {
      const permitted = await ask(
        line,
        signed(toPeer(methods.CREATE_PERMISSION, classes.REQUEST, peer.endpoint)),
      )
      if (permitted.messageClass !== classes.RESPONSE) return { state: 'forbidden', says: said(permitted) }
      return await passes(line, peer)
    } finally {
      const end = new Message(methods.REFRESH, classes.REQUEST).setAttribute('LIFETIME', 0)
      line.send(signed(end).bytes)
    }
  } finally {
    // What was sent last is sent before the line closes.
    setTimeout(() => line.close(), 50)
  }
}

const allocateRequest = (): Message =>
  new Message(methods.ALLOCATE, classes.REQUEST).setAttribute('REQUESTED-TRANSPORT', UDP)

const toPeer = (method: methods, kind: classes, { address, port }: Endpoint): Message =>
  new Message(method, kind).setAttribute('XOR-PEER-ADDRESS', [address, port])

async function passes(
  line: Line,
  { endpoint, credentials }: { endpoint: Endpoint; credentials: IceCredentials },
): Promise<Relayed> {
  const request = iceRequest(credentials)
  const sent = toPeer(methods.SEND, classes.INDICATION, endpoint).setAttribute('DATA', request.bytes).bytes
  // Over TCP too, what is relayed is a datagram, which may get lost.
  const repeating = setInterval(() => line.send(sent), 500)
  try {
    await line.ask(sent, (bytes) => {
      const data = parseMessage(bytes)?.getAttributeValue('DATA') as Buffer | undefined
      return data && iceAnswer(data, request, credentials)
    })
    return { state: 'works' }
  } catch (error) {
    if (error instanceof LineFailed) return { state: 'silent', says: error.message }
    throw error
  } finally {
    clearInterval(repeating)
  }
}

/** The relay sends on over UDP (RFC 8656, section 18.7). */
const UDP = 17 << 24

async function challengeOf(line: Line): Promise<{ realm: string; nonce: Buffer }> {
  const answer = await ask(line, allocateRequest().addFingerprint())
  const realm = answer.getAttributeValue('REALM') as string | undefined
  const nonce = answer.getAttributeValue('NONCE') as Buffer | undefined
  if (!realm || !nonce) throw new LineFailed('what answers is no TURN server that asks for a password')
  return { realm, nonce }
}

const ask = (line: Line, request: Message): Promise<Message> =>
  line.ask(request.bytes, (bytes) => {
    const message = parseMessage(bytes)
    return message?.transactionIdHex === request.transactionIdHex ? message : undefined
  })

function said(message: Message): string {
  const error = message.getAttributeValue('ERROR-CODE') as [code: number, says: string] | undefined
  return error ? error.join(' ').trim() : 'no reason'
}

/** An endpoint as it is shown. */
export const shownEndpoint = ({ address, port }: Endpoint): string =>
  isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
