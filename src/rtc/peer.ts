/**
 * One transport without a browser: ICE, DTLS and SRTP by werift. Received packets stay encrypted until somebody needs what
 * is inside: their headers are not encrypted, and decrypting every packet would be most of the work.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { ownLoopback } from '../loopback.ts'
import type { DtlsParameters, IceCandidate, IceParameters } from '../protocol/media.ts'
import {
  IceCandidate as Candidate,
  isRtcp,
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceParameters,
  RTCIceTransport,
  RtcpPacketConverter,
  type RtcpPacket,
  type RtpHeader,
} from 'werift'
import type { ArrivalFeedback } from './feedback.ts'
import { Bridge, overTcp, type OpenWay } from './bridge.ts'
import { Relay, turnServersOf, type IceServer } from './relay.ts'

/** The server's answer for a new transport. */
export interface RemoteTransport {
  id: string
  iceParameters: IceParameters
  iceCandidates: IceCandidate[]
  dtlsParameters: DtlsParameters
}

export interface PeerEvents {
  /** Called with each RTP packet, still encrypted. */
  onRtp?: (packet: Buffer) => void
  onRtcp?: (packets: RtcpPacket[]) => void
  /** Reports the arrival of packets to the server, so that it can estimate the bandwidth. */
  feedback?: ArrivalFeedback | undefined
  /** Servers of which those of TURN are used if the media ports cannot be reached. */
  iceServers?: readonly IceServer[]
  /** Ends an attempt to connect, and what it has opened. */
  signal?: AbortSignal
  /** The other side does not answer any more. Called once. */
  onLost?: () => void
}

/** How long ICE and DTLS may take together. */
const CONNECT_TIMEOUT_MS = 15_000
/** If UDP has not come through after this time, TCP is tried too; then TURN servers, which cost their owner bandwidth. */
const [TCP_AFTER_MS, TURN_AFTER_MS] = [2000, 3500]
/** The interval that browsers use. */
const FEEDBACK_EVERY_MS = 50
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
/** Werift asks about every 5 s whether the other side is there, and gives up after 30 s (RFC 7675). We give up earlier. */
const MOST_UNANSWERED = 2
const ANSWER_MS = 1500
const WATCH_EVERY_MS = 1000

export class Peer {
  readonly id: string
  readonly #ice: RTCIceTransport
  readonly #dtls: RTCDtlsTransport
  /** Paths besides werift's own sockets. Several may share a relay. */
  readonly #ways = new Map<Bridge, Relay | undefined>()
  #watch: NodeJS.Timeout | undefined
  #closed = false

  private constructor(id: string, ice: RTCIceTransport, dtls: RTCDtlsTransport) {
    this.id = id
    this.#ice = ice
    this.#dtls = dtls
  }

  /** @param tell sends our DTLS parameters to the server */
  static async connect(
    remote: RemoteTransport,
    tell: (dtlsParameters: DtlsParameters) => Promise<unknown>,
    events: PeerEvents = {},
  ): Promise<Peer> {
    const candidates = remote.iceCandidates.filter(({ protocol }) => protocol === 'udp')
    const useIpv6 = candidates.some(({ address, ip }) => isIPv6(address ?? ip))
    const gatherer = new RTCIceGatherer({ useIpv6, additionalHostAddresses: ownAddresses(useIpv6) })
    // Otherwise werift asks a public STUN server for our address, which a server with candidates of its own does not need.
    delete gatherer.connection.stunServer
    const ice = new RTCIceTransport(gatherer)
    ice.connection.iceControlling = true
    const certificate = await RTCDtlsTransport.SetupCertificate()
    const dtls = new RTCDtlsTransport({}, ice, certificate, [
      ProtectionProfileAeadAes128Gcm,
      ProtectionProfileAes128CmHmacSha1_80,
    ])
    dtls.role = 'client'
    // Otherwise it would decrypt every packet.
    dtls.srtpStarted = true
    const peer = new Peer(remote.id, ice, dtls)
    let timer: NodeJS.Timeout | undefined
    const connected = new AbortController()
    try {
      events.signal?.throwIfAborted()
      const { usernameFragment, password } = remote.iceParameters
      ice.setRemoteParams(new RTCIceParameters({ usernameFragment, password, iceLite: true }))
      const fingerprints = remote.dtlsParameters.fingerprints.map(
        ({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value),
      )
      dtls.setRemoteParams(new RTCDtlsParameters(fingerprints, 'server'))
      const ours = certificate.getFingerprints().map(({ algorithm, value }) => ({ algorithm, value }))
      const connecting = (async () => {
        await Promise.all([ice.gather(), tell({ role: 'client', fingerprints: ours })])
        // It was given up meanwhile, and closed before it had opened its sockets.
        if (peer.#closed) {
          await ice.stop()
          return
        }
        widen(ice)
        for (const { foundation, address, ip, port, priority, protocol, type } of candidates) {
          await ice.addRemoteCandidate(
            new Candidate(1, foundation, address ?? ip, port, priority, protocol, type),
          )
        }
        void peer.#tryOtherWays(remote.iceCandidates, events.iceServers ?? [], connected.signal)
        await ice.start()
        connected.abort()
        peer.#closeUnusedWays()
        await dtls.start()
      })()
      connecting.catch(() => undefined)
      await Promise.race([
        connecting,
        new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error('the media connection timed out')), CONNECT_TIMEOUT_MS)
          events.signal?.addEventListener('abort', () => reject(new Error('the meeting was left')), {
            once: true,
          })
        }),
      ])
      dtls.updateSrtpSession()
      prepareKeys(dtls)
      if (events.feedback) peer.#feedBack(events.feedback)
      ice.connection.onData.subscribe((data) => peer.#hear(data, events))
      if (events.onLost) peer.#watchFor(events.onLost)
      return peer
    } catch (error) {
      await peer.close()
      throw error
    } finally {
      clearTimeout(timer)
      connected.abort()
    }
  }

  /** Tries what costs more than UDP to the media ports, if that has not come through in time. */
  async #tryOtherWays(
    candidates: readonly IceCandidate[],
    iceServers: readonly IceServer[],
    connected: AbortSignal,
  ): Promise<void> {
    const [udp, tcp] = (['udp', 'tcp'] as const).map((one) =>
      candidates.filter(({ protocol }) => protocol === one),
    )
    const turnServers = turnServersOf(iceServers)
    /** Lets ICE try this way to a candidate of the server. */
    const offer = async (
      { foundation, priority, type }: IceCandidate,
      way: OpenWay,
      relay?: Relay,
    ): Promise<void> => {
      const bridge = await Bridge.open(way)
      this.#ways.set(bridge, relay)
      if (this.#closed || connected.aborted) this.#closeWay(bridge, relay)
      else {
        const { ip, port } = bridge.address
        await this.#ice.addRemoteCandidate(new Candidate(1, foundation, ip, port, priority, 'udp', type))
      }
    }
    const after = async (ms: number, tries: (() => Promise<void>)[]): Promise<void> => {
      if (tries.length === 0) return
      await delay(ms, undefined, { signal: connected })
      // A way that cannot be opened is one that leads nowhere.
      await Promise.allSettled(tries.map((one) => one()))
    }
    await Promise.allSettled([
      after(
        TCP_AFTER_MS,
        tcp!.map((one) => () => offer(one, overTcp(one.address ?? one.ip, one.port))),
      ),
      after(
        TURN_AFTER_MS,
        turnServers.map((server) => async () => {
          // Allocations relay to IPv4 alone.
          const targets = udp!.filter(({ address, ip }) => isIPv4(address ?? ip))
          if (targets.length === 0) return
          const relay = await Relay.open(server)
          if (this.#closed || connected.aborted) {
            relay.close()
            return
          }
          await Promise.allSettled(
            targets.map((one) => offer(one, relay.to(one.address ?? one.ip, one.port), relay)),
          )
          if (![...this.#ways.values()].includes(relay)) relay.close()
        }),
      ),
    ])
    await this.#ice.addRemoteCandidate(undefined)
  }

  /** Unused allocations cost the TURN server a port each. */
  #closeUnusedWays(): void {
    const [ip, port] = this.#ice.connection.nominated?.remoteAddr ?? []
    const isUsed = ({ address }: Bridge): boolean => address.port === port && address.ip === ip
    for (const [bridge, relay] of this.#ways) if (!isUsed(bridge)) this.#closeWay(bridge, relay)
  }

  #closeWay(bridge: Bridge, relay: Relay | undefined): void {
    bridge.close()
    this.#ways.delete(bridge)
    if (relay && ![...this.#ways.values()].includes(relay)) relay.close()
  }

  send(payload: Buffer, header: RtpHeader): void {
    if (!this.#closed) void this.#dtls.sendRtp(payload, header)
  }

  /** Encrypts a packet, to be sent once or again. Call it in the order of the sequence numbers. */
  seal(payload: Buffer, header: RtpHeader): Buffer {
    return this.#dtls.srtp.encrypt(payload, header)
  }

  /** Sends a sealed packet. */
  sendSealed(packet: Buffer): void {
    // A packet that the system does not take is lost, like any other on the way.
    if (!this.#closed) this.#ice.connection.send(packet).catch(() => undefined)
  }

  report(packets: RtcpPacket[]): void {
    if (!this.#closed) void this.#dtls.sendRtcp(packets)
  }

  /** Decrypts a packet; undefined if that fails. */
  open(packet: Buffer): Buffer | undefined {
    try {
      return this.#dtls.srtp.decrypt(packet)
    } catch {
      return undefined
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#watch)
    await this.#dtls.stop().catch(() => undefined)
    await this.#ice.stop().catch(() => undefined)
    for (const [bridge, relay] of this.#ways) this.#closeWay(bridge, relay)
  }

  #watchFor(onLost: () => void): void {
    let [asked, answered, unanswered, due] = [0, 0, 0, 0]
    const lose = (): void => {
      clearInterval(this.#watch)
      if (!this.#closed) onLost()
    }
    this.#watch = setInterval(() => {
      const { nominated, state } = this.#ice.connection
      if (state === 'failed') return lose()
      if (!nominated) return
      if (nominated.responsesReceived !== answered) unanswered = 0
      else if (nominated.consentRequestsSent !== asked) due = performance.now() + ANSWER_MS
      else if (due > 0 && performance.now() > due) {
        due = 0
        if (++unanswered >= MOST_UNANSWERED) lose()
      }
      ;[asked, answered] = [nominated.consentRequestsSent, nominated.responsesReceived]
    }, WATCH_EVERY_MS)
  }

  #feedBack(feedback: ArrivalFeedback): void {
    const timer = setInterval(() => {
      if (this.#closed) return clearInterval(timer)
      const report = feedback.report()
      // Werift needs nothing of a packet but `serialize`.
      if (report) this.report([{ serialize: () => report } as RtcpPacket])
    }, FEEDBACK_EVERY_MS)
  }

  #hear(data: Buffer, { onRtp, onRtcp, feedback }: PeerEvents): void {
    // RTP and RTCP begin with version 2; everything else is STUN or DTLS.
    if (this.#closed || data.length < 12 || data[0]! >> 6 !== 2) return
    if (!isRtcp(data)) {
      feedback?.hear(data, performance.now())
      onRtp?.(data)
    } else if (onRtcp) {
      try {
        onRtcp(RtcpPacketConverter.deSerialize(this.#dtls.srtcp.decrypt(data)))
      } catch {
        // A report that cannot be decrypted is ignored.
      }
    }
  }
}

/**
 * Node encrypts and decrypts a packet in a quarter of the time with a `KeyObject`. Given bytes, it makes one for each packet, which would be
 * most of the work.
 */
function prepareKeys({ srtp, srtcp }: RTCDtlsTransport): void {
  for (const { localContext, remoteContext } of [srtp, srtcp])
    for (const { cipher } of [localContext, remoteContext]) {
      // Werift hands them to node:crypto alone, which takes both.
      const keys = cipher as unknown as Record<'srtpSessionKey' | 'srtcpSessionKey', Buffer | KeyObject>
      for (const name of ['srtpSessionKey', 'srtcpSessionKey'] as const) {
        const key = keys[name]
        if (Buffer.isBuffer(key)) keys[name] = createSecretKey(key)
      }
    }
}

/** Werift gathers no loopback addresses by itself, and none of a virtual interface, which may be the only one. */
function ownAddresses(withIpv6: boolean): string[] {
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family, scopeid }) => !internal && (family === 'IPv4' || (withIpv6 && !scopeid)))
  return [ownLoopback(), ...outer.map(({ address }) => address)]
}

/** Packets wait while this program does other things; it serves many people. The system gives at most its `net.core.rmem_max`. */
function widen({ connection }: RTCIceTransport): void {
  // Werift does not let the size be chosen.
  const { protocols } = connection as unknown as { protocols: { transport: { socket?: Socket } }[] }
  for (const { transport } of protocols) transport.socket?.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
}
