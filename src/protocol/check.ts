/** What crosses the socket of the page that checks a connection: requests with a number, and their answers. */
import { Type, type Static, type TSchema } from 'typebox'
import {
  DtlsParameters,
  RtpCapabilities,
  RtpParameters,
  type IceCandidate,
  type IceParameters,
} from './media.ts'

export const CHECK_SOCKET_PATH = '/check/socket'
/** The socket is closed with this where a request breaks the shapes below, or a limit. */
export const CHECK_OVER = 4000

export const CheckProtocol = Type.Union([Type.Literal('udp'), Type.Literal('tcp')])
export type CheckProtocol = Static<typeof CheckProtocol>
const CheckDirection = Type.Union([Type.Literal('send'), Type.Literal('receive')])

const request = <M extends string, D extends TSchema>(method: M, data: D) =>
  Type.Object({ id: Type.Integer({ minimum: 0 }), method: Type.Literal(method), data })

export const CheckRequest = Type.Union([
  /** Answers at once; for the time that takes. */
  request('ping', Type.Object({})),
  /** Whether the server gets through each of its TURN servers to its own media ports. */
  request('turn', Type.Object({})),
  /** Two transports, at the addresses of one protocol alone. Those of an earlier request are closed. */
  request('open', Type.Object({ protocol: CheckProtocol })),
  request('connect', Type.Object({ direction: CheckDirection, dtlsParameters: DtlsParameters })),
  request('produce', Type.Object({ rtpParameters: RtpParameters })),
  /** One's own picture, back from the server. */
  request('consume', Type.Object({ rtpCapabilities: RtpCapabilities })),
])
export type CheckRequest = Static<typeof CheckRequest>

export interface CheckTransport {
  id: string
  iceParameters: IceParameters
  iceCandidates: IceCandidate[]
  dtlsParameters: DtlsParameters
}

/**
 * What the server found of one TURN server. `refused`: it refuses the server's credentials. `forbidden`: it does not relay to the
 * media port. `silent`: nothing came back from there. `says` is what it answered, or what is wrong.
 */
export type RelayCheck =
  | { url: string; relay: 'works' }
  | { url: string; relay: 'unreachable' | 'refused' | 'forbidden' | 'silent'; says: string }

export interface CheckAnswers {
  ping: object
  turn: { relays: RelayCheck[] }
  open: { rtpCapabilities: RtpCapabilities; send: CheckTransport; receive: CheckTransport }
  connect: object
  produce: { id: string }
  consume: { id: string; producerId: string; rtpParameters: RtpParameters }
}

export type CheckAnswer =
  | { id: number; ok: true; data: CheckAnswers[keyof CheckAnswers] }
  | { id: number; ok: false; code: string; message: string }
