/** Writes SDP answers, and the fragments that answer an ICE restart. */
import { write, type MediaDescription } from 'sdp-transform'
import type { Transport } from '../../media/sfu.ts'
import type { AnsweredMedia } from './negotiate.ts'
import type { Way } from './offer.ts'

type Described = Pick<Transport, 'iceParameters' | 'iceCandidates' | 'dtlsParameters'>

export interface AnswerOptions {
  media: readonly AnsweredMedia[]
  transport: Described
  /** Which way the client sends. */
  way: Way
  /** Our part in DTLS. */
  setup: 'active' | 'passive'
  /** Names the stream that a receiver gets. */
  streamId: string
}

/** ICE lite, one bundle, and every candidate, because nothing is told later (RFC 9725, section 4.2). */
export function writeAnswer({ media, transport, way, setup, streamId }: AnswerOptions): string {
  const { usernameFragment, password } = transport.iceParameters
  const fingerprints = transport.dtlsParameters.fingerprints
  const { algorithm, value } = fingerprints.find((one) => one.algorithm === 'sha-256') ?? fingerprints[0]!
  const described = media.map(({ offered, codecs, extensions, retransmits }): MediaDescription => ({
    type: offered.kind,
    port: 9,
    protocol: offered.protocol,
    connection: { version: 4, ip: '0.0.0.0' },
    payloads: codecs
      .flatMap(({ payloadType, rtx }) => [payloadType, ...(retransmits && rtx ? [rtx] : [])])
      .join(' '),
    mid: offered.mid,
    direction: way === 'send' ? 'recvonly' : 'sendonly',
    iceUfrag: usernameFragment,
    icePwd: password,
    fingerprint: { type: algorithm, hash: value },
    setup,
    rtcpMux: 'rtcp-mux',
    rtcpRsize: 'rtcp-rsize',
    ...(way === 'receive' && { msid: [{ id: streamId, appdata: `${streamId}-${offered.kind}` }] }),
    rtp: codecs.flatMap(({ payloadType, name, clockRate, channels, rtx }) => [
      {
        payload: payloadType,
        codec: name,
        rate: clockRate,
        ...(channels !== undefined && channels > 1 && { encoding: channels }),
      },
      ...(retransmits && rtx !== undefined ? [{ payload: rtx, codec: 'rtx', rate: clockRate }] : []),
    ]),
    fmtp: codecs.flatMap(({ payloadType, fmtp, rtx }) => [
      ...(fmtp === '' ? [] : [{ payload: payloadType, config: fmtp }]),
      ...(retransmits && rtx !== undefined ? [{ payload: rtx, config: `apt=${payloadType}` }] : []),
    ]),
    rtcpFb: codecs.flatMap(({ payloadType, feedback }) =>
      feedback.map(({ type, parameter }) => ({
        payload: payloadType,
        type,
        ...(parameter !== undefined && { subtype: parameter }),
      })),
    ),
    ext: extensions.map(({ id, uri }) => ({ value: id, uri })),
    ...(way === 'send' && offered.layers.length > 0 && layersOf(offered.layers)),
    candidates: candidatesOf(transport),
    endOfCandidates: 'end-of-candidates',
  }))
  return write({
    version: 0,
    origin: { username: '-', sessionId: 1, sessionVersion: 1, netType: 'IN', ipVer: 4, address: '0.0.0.0' },
    name: '-',
    timing: { start: 0, stop: 0 },
    icelite: 'ice-lite',
    groups: [{ type: 'BUNDLE', mids: media.map(({ offered }) => offered.mid).join(' ') }],
    msidSemantic: { semantic: 'WMS', token: '*' },
    media: described,
  })
}

/** OBS counts the layers in it, and gives up unless all are taken. */
function layersOf(layers: AnsweredMedia['offered']['layers']): Partial<MediaDescription> {
  return {
    rids: layers.map(({ rid }) => ({ id: rid, direction: 'recv' })),
    simulcast: { dir1: 'recv', list1: layers.map(({ rid }) => rid).join(';') },
  }
}

/** The fragment with which an ICE restart is answered (RFC 8840, section 9). */
export function writeFragment(transport: Described): string {
  const { usernameFragment, password } = transport.iceParameters
  return [
    'a=ice-lite',
    `a=ice-ufrag:${usernameFragment}`,
    `a=ice-pwd:${password}`,
    ...candidatesOf(transport).map(
      ({ foundation, component, transport: protocol, priority, ip, port, type, tcptype }) =>
        `a=candidate:${foundation} ${component} ${protocol} ${priority} ${ip} ${port} typ ${type}${tcptype === undefined ? '' : ` tcptype ${tcptype}`}`,
    ),
    'a=end-of-candidates',
    '',
  ].join('\r\n')
}

/** UDP first: some clients read only the first one. */
function candidatesOf({ iceCandidates }: Described) {
  return iceCandidates
    .toSorted((a, b) => Number(a.protocol === 'tcp') - Number(b.protocol === 'tcp'))
    .map(({ foundation, priority, address, ip, protocol, port, type, tcpType }) => ({
      foundation,
      component: 1,
      transport: protocol,
      priority,
      ip: address ?? ip,
      port,
      type,
      ...(tcpType !== undefined && { tcptype: tcpType }),
    }))
}
