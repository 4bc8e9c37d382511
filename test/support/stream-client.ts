/** A WHIP or WHEP client that sends exactly the offer that it is given, with its own credentials in it, and packets as that offer has them. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { parse } from 'sdp-transform'
import {
  IceCandidate,
  isRtcp,
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceParameters,
  RTCIceTransport,
  RtpHeader,
} from 'werift'
import { payloadsOf, picturesOf } from '../../src/agent/picture.ts'
import { senderReport } from '../../src/rtc/reports.ts'
import { soundPackets } from '../../src/agent/sound.ts'
import { PASSWORD, PRINT, UFRAG } from './offers.ts'
import { tone } from './sounds.ts'

const REPORT_MS = 500

export interface Answered {
  status: number
  location: string
  sdp: string
}

/** What a packet says beside its payload. */
export interface PacketOf {
  payloadType: number
  ssrc: number
  sequence: number
  timestamp: number
  marker: boolean
  /** One-byte extensions by their ids. */
  extensions?: Record<number, string>
}

export class StreamClient {
  readonly #ice: RTCIceTransport
  readonly #dtls: RTCDtlsTransport
  readonly #token: string
  answer: Answered = { status: 0, location: '', sdp: '' }
  /** Packets received so far, by payload type. */
  readonly received = new Map<number, number>()
  readonly #shows: Promise<void>[] = []
  isClosed = false

  private constructor(ice: RTCIceTransport, dtls: RTCDtlsTransport, token: string) {
    this.#ice = ice
    this.#dtls = dtls
    this.#token = token
  }

  /** Posts the offer, and connects if it was accepted. */
  static async open(url: string, token: string, offer: string): Promise<StreamClient> {
    const gatherer = new RTCIceGatherer({ useIpv6: false, additionalHostAddresses: ['127.0.0.1'] })
    const ice = new RTCIceTransport(gatherer)
    ice.connection.iceControlling = true
    const certificate = await RTCDtlsTransport.SetupCertificate()
    const dtls = new RTCDtlsTransport({}, ice, certificate, [
      ProtectionProfileAeadAes128Gcm,
      ProtectionProfileAes128CmHmacSha1_80,
    ])
    // Packets are told apart by their headers alone.
    dtls.srtpStarted = true
    const client = new StreamClient(ice, dtls, token)
    await ice.gather()
    const { usernameFragment, password } = gatherer.localParameters
    const print = certificate.getFingerprints().find(({ algorithm }) => algorithm === 'sha-256')!
    const own = offer
      .replaceAll(UFRAG, usernameFragment)
      .replaceAll(PASSWORD, password)
      .replaceAll(PRINT, print.value.toUpperCase())
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', authorization: `Bearer ${token}` },
      body: own,
    })
    const sdp = await answer.text()
    client.answer = { status: answer.status, location: answer.headers.get('location') ?? '', sdp }
    if (answer.status === 201) await client.#connect(sdp)
    else await client.close()
    return client
  }

  async #connect(sdp: string): Promise<void> {
    const [ice, dtls] = [this.#ice, this.#dtls]
    const { iceUfrag, icePwd, fingerprint, setup, candidates = [] } = parse(sdp).media[0]!
    ice.setRemoteParams(
      new RTCIceParameters({ usernameFragment: iceUfrag!, password: String(icePwd), iceLite: true }),
    )
    dtls.role = setup === 'passive' ? 'client' : 'server'
    dtls.setRemoteParams(
      new RTCDtlsParameters(
        [new RTCDtlsFingerprint(fingerprint!.type, fingerprint!.hash)],
        setup === 'passive' ? 'server' : 'client',
      ),
    )
    for (const { foundation, ip, port, priority, transport, type } of candidates)
      if (transport === 'udp')
        await ice.addRemoteCandidate(new IceCandidate(1, foundation, ip, port, priority, transport, type))
    await ice.addRemoteCandidate(undefined)
    await ice.start()
    await dtls.start()
    dtls.updateSrtpSession()
    ice.connection.onData.subscribe((data) => {
      if (data.length < 12 || data[0]! >> 6 !== 2 || isRtcp(data)) return
      const type = data[1]! & 0x7f
      this.received.set(type, (this.received.get(type) ?? 0) + 1)
    })
  }

  send(payload: Buffer, { payloadType, ssrc, sequence, timestamp, marker, extensions }: PacketOf): void {
    if (this.isClosed) return
    const header = new RtpHeader({
      version: 2,
      marker,
      payloadType,
      sequenceNumber: sequence & 0xffff,
      timestamp: timestamp >>> 0,
      ssrc,
      ...(extensions && {
        extension: true,
        extensionProfile: 0xbede,
        extensions: Object.entries(extensions).map(([id, value]) => ({
          id: Number(id),
          payload: Buffer.from(value),
        })),
      }),
    })
    void this.#dtls.sendRtp(payload, header)
  }

  /** Sends a tone in Opus until it is closed. */
  async speak(hertz: number, { payloadType, ssrc }: { payloadType: number; ssrc: number }): Promise<void> {
    let sequence = 0
    for await (const { data } of await soundPackets(tone(hertz), { channels: 1 })) {
      if (this.isClosed) return
      const timestamp = sequence * 960
      this.send(Buffer.from(data), { payloadType, ssrc, sequence, timestamp, marker: false })
      sequence++
      await delay(20)
    }
  }

  /**
   * Sends the frames of a file until it is closed.
   * @param extensions of each packet
   */
  show(
    file: string,
    of: { payloadType: number; ssrc: number; extensions?: Record<number, string> },
  ): Promise<void> {
    const shown = this.#show(file, of)
    this.#shows.push(shown)
    return shown
  }

  async #show(
    file: string,
    { extensions, ...of }: { payloadType: number; ssrc: number; extensions?: Record<number, string> },
  ): Promise<void> {
    const { codec, frames } = await picturesOf(file, true)
    const began = performance.now()
    let [sequence, picture, bytes, reportAt] = [0, 0, 0, 0]
    for await (const { data, atMs } of frames) {
      const early = atMs - (performance.now() - began)
      if (early > 0) await delay(early)
      if (this.isClosed) return
      // Without reports, the media server cannot change from one layer to another.
      if (atMs >= reportAt) {
        reportAt = atMs + REPORT_MS
        const at = performance.timeOrigin + performance.now()
        const rtpTimestamp = Math.round(atMs * 90)
        void this.#dtls.sendRtcp([
          senderReport({ ssrc: of.ssrc, at, rtpTimestamp, packets: sequence, bytes }),
        ])
      }
      bytes += data.length
      const payloads = payloadsOf(codec, data, picture++)
      for (const [at, payload] of payloads.entries())
        this.send(payload, {
          ...of,
          sequence: sequence++,
          timestamp: Math.round(atMs * 90),
          marker: at === payloads.length - 1,
          ...(extensions && { extensions }),
        })
    }
  }

  /** @param at another node than that of the session's address */
  async call(method: string, { at, body, headers }: { at?: string; body?: string; headers?: object } = {}) {
    const { pathname, origin } = new URL(this.answer.location)
    return fetch(`${at ?? origin}${pathname}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...headers },
      ...(body !== undefined && { body }),
    })
  }

  /** Waits for so many more packets of a payload type. */
  async hears(payloadType: number, more = 10): Promise<void> {
    const before = this.received.get(payloadType) ?? 0
    while ((this.received.get(payloadType) ?? 0) < before + more) {
      assert.ok(!this.isClosed)
      await delay(20)
    }
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    await this.#dtls.stop().catch(() => undefined)
    await this.#ice.stop().catch(() => undefined)
    // Nothing reads from a file any more.
    await Promise.all(this.#shows)
  }
}
