/** Reads the SDP offer of a WHIP or WHEP client. An offer that cannot be accepted as a whole is refused (RFC 9725, section 4.2). */
import { parse, parseParams, type MediaDescription, type SessionDescription } from 'sdp-transform'
import type { DtlsParameters, MediaKind } from '../../protocol/media.ts'
import { Refusal } from '../../protocol/errors.ts'

export interface OfferedCodec {
  payloadType: number
  /** In lower case, e.g. `video/vp8`. */
  mimeType: string
  /** The name as it was offered. */
  name: string
  clockRate: number
  channels: number | undefined
  /** As it was offered; empty without parameters. */
  fmtp: string
  parameters: Record<string, string | number>
  feedback: { type: string; parameter?: string }[]
  /** The payload type of its retransmissions. */
  rtx: number | undefined
}

export interface OfferedMedia {
  kind: MediaKind
  mid: string
  protocol: string
  codecs: OfferedCodec[]
  extensions: { id: number; uri: string }[]
  ssrc: number | undefined
  rtxSsrc: number | undefined
  cname: string | undefined
  /** The layers of simulcast in the order of the offer; empty without simulcast. */
  layers: { rid: string; maxWidth: number | undefined }[]
}

export interface IceCredentials {
  usernameFragment: string
  password: string
}

export interface Offer {
  media: OfferedMedia[]
  ice: IceCredentials
  /** With the role of the client. */
  dtls: DtlsParameters
}

/** `send`: the client sends (WHIP). `receive`: it receives (WHEP). */
export type Way = 'send' | 'receive'

const DIRECTIONS: Record<Way, readonly (string | undefined)[]> = {
  // Without a direction, it is both (RFC 8866, section 6.7).
  send: ['sendonly', 'sendrecv', undefined],
  receive: ['recvonly', 'sendrecv', undefined],
}
const ICE_TEXT = /^[A-Za-z0-9+/]{4,256}$/
const MAX_PAYLOAD_TYPE = 127
const MAX_SSRC = 0xffff_ffff
const FINGERPRINT = /^[0-9A-F]{2}(:[0-9A-F]{2}){15,63}$/i

/** @throws {Refusal} INVALID_REQUEST if it is not an offer, NOT_ACCEPTABLE if it is one that is not served */
export function readOffer(text: string, way: Way): Offer {
  if (!/^v=0\r?\n/.test(text)) throw malformed('The body must be an SDP offer.')
  let sdp: SessionDescription
  try {
    sdp = parse(text)
  } catch (cause) {
    throw new Refusal('INVALID_REQUEST', { message: 'The SDP offer cannot be read.', cause })
  }
  if (sdp.media.length === 0) throw malformed('The SDP offer has no media.')
  if (sdp.icelite !== undefined)
    throw unacceptable('The client must do full ICE, because this server does ICE lite.')
  for (const kind of ['audio', 'video'])
    if (sdp.media.filter(({ type }) => type === kind).length > 1)
      throw unacceptable(`The offer has more than one ${kind}.`)
  const media = sdp.media.map((one, index) => readMedia(one, index, way))
  const mids = media.map(({ mid }) => mid)
  if (new Set(mids).size < mids.length) throw malformed('Two media of the offer have the same mid.')
  const bundled = sdp.groups?.find(({ type }) => type === 'BUNDLE')
  if (media.length > 1 && !mids.every((mid) => textOf(bundled?.mids).split(' ').includes(mid)))
    throw unacceptable('All media of the offer must be bundled.')
  const first = sdp.media[0]!
  return {
    media,
    ice: readIce(first.iceUfrag ?? sdp.iceUfrag, first.icePwd ?? sdp.icePwd),
    dtls: readDtls(sdp, first),
  }
}

function readMedia(media: MediaDescription, index: number, way: Way): OfferedMedia {
  const { type, port, protocol, direction } = media
  if (type !== 'audio' && type !== 'video') throw unacceptable('The offer may have only audio and video.')
  // A medium that exists only in the bundle is offered with port 0 (RFC 8843, section 6), as by GStreamer.
  if (port === 0 && media.bundleOnly === undefined)
    throw unacceptable(`The ${type} of the offer is switched off.`)
  if (!/^(UDP|TCP)\/TLS\/RTP\/SAVPF?$/.test(protocol))
    throw unacceptable(`The ${type} of the offer must use DTLS and SRTP.`)
  if (!DIRECTIONS[way].includes(direction))
    throw unacceptable(`The ${type} of the offer must be ${way === 'send' ? 'sendonly' : 'recvonly'}.`)
  if (media.rtcpMux === undefined) throw unacceptable('The offer must multiplex RTP and RTCP.')
  const codecs = readCodecs(media, type)
  const [ssrc, rtxSsrc] = readSsrcs(media)
  const cname = media.ssrcs?.find(({ attribute }) => attribute === 'cname')?.value
  return {
    kind: type,
    mid: textOf(media.mid ?? index),
    protocol,
    codecs,
    extensions: readExtensions(media),
    ssrc,
    rtxSsrc,
    cname: cname === undefined ? undefined : textOf(cname).slice(0, 256),
    layers: readLayers(media),
  }
}

/** The first of each URI; larger ids are choices of an offer that has too many (RFC 8285, section 7). */
function readExtensions({ ext = [] }: MediaDescription): OfferedMedia['extensions'] {
  const ids = new Map<string, number>()
  for (const { value, uri } of ext) if (value >= 1 && value <= 255 && !ids.has(uri)) ids.set(uri, value)
  return [...ids].map(([uri, id]) => ({ id, uri }))
}

/** Of the stream and of its retransmissions, as far as they are declared. @throws {Refusal} INVALID_REQUEST */
function readSsrcs({ ssrcs = [], ssrcGroups = [] }: MediaDescription): (number | undefined)[] {
  const pair = ssrcGroups.find(({ semantics }) => semantics === 'FID')
  const declared = pair ? textOf(pair.ssrcs).split(' ') : ssrcs.slice(0, 1).map(({ id }) => textOf(id))
  const numbers = declared.map(Number)
  if (numbers.some((ssrc) => !Number.isInteger(ssrc) || ssrc < 1 || ssrc > MAX_SSRC))
    throw malformed('An SSRC of the offer is not valid.')
  return numbers
}

/** @throws {Refusal} INVALID_REQUEST */
function readCodecs(media: MediaDescription, kind: MediaKind): OfferedCodec[] {
  const payloadTypes = media.rtp.map(({ payload }) => payload)
  // This also bounds the work, which grows with the square of the number of codecs.
  if (payloadTypes.some((type) => !Number.isInteger(type) || type < 0 || type > MAX_PAYLOAD_TYPE))
    throw malformed(`A payload type of the ${kind} is not valid.`)
  if (new Set(payloadTypes).size < payloadTypes.length)
    throw malformed(`Two codecs of the ${kind} have the same payload type.`)
  const parameters = new Map(media.fmtp.map(({ payload, config }) => [payload, textOf(config)]))
  const coded = media.rtp.map((one) => ({ ...one, codec: textOf(one.codec) }))
  const retransmissions = coded.filter(({ codec }) => codec.toLowerCase() === 'rtx')
  return coded
    .filter((one) => !retransmissions.includes(one))
    .map(({ payload, codec, rate, encoding }) => {
      const fmtp = parameters.get(payload) ?? ''
      return {
        payloadType: payload,
        mimeType: `${kind}/${codec.toLowerCase()}`,
        name: codec,
        clockRate: rate ?? 0,
        channels: encoding,
        fmtp,
        parameters: fmtp === '' ? {} : (parseParams(fmtp) as Record<string, string | number>),
        feedback: (media.rtcpFb ?? [])
          .filter((one) => [textOf(payload), '*'].includes(textOf(one.payload)))
          .map(({ type, subtype }) => ({ type, ...(subtype !== undefined && { parameter: subtype }) })),
        rtx: retransmissions.find(
          ({ payload: own }) => Number(parseParams(parameters.get(own) ?? '').apt) === payload,
        )?.payload,
      }
    })
}

function readLayers({ simulcast, rids = [] }: MediaDescription): OfferedMedia['layers'] {
  if (!simulcast) return []
  const list = simulcast.dir1 === 'send' ? simulcast.list1 : simulcast.dir2 === 'send' ? simulcast.list2 : ''
  // `1,2`: either of two, of which the first is preferred; `~1`: begins paused (RFC 8853, section 5.1).
  const sent = textOf(list)
    .split(';')
    .map((one) => one.split(',')[0]!.replace(/^~/, '').trim())
    .filter((rid) => rid !== '')
  if (
    sent.length > 8 ||
    new Set(sent).size < sent.length ||
    sent.some((rid) => !/^[A-Za-z0-9_-]{1,64}$/.test(rid))
  )
    throw malformed('The simulcast layers of the offer are not valid.')
  if (sent.length < 2) return sent.length === 1 ? [{ rid: sent[0]!, maxWidth: undefined }] : []
  return sent.map((rid) => {
    const { params } = rids.find(({ id }) => textOf(id) === rid) ?? {}
    const maxWidth = Number(parseParams(textOf(params))['max-width'])
    return { rid, maxWidth: Number.isInteger(maxWidth) && maxWidth > 0 ? maxWidth : undefined }
  })
}

/** @throws {Refusal} INVALID_REQUEST */
export function readIce(
  usernameFragment: string | number | undefined,
  password: string | number | undefined,
): IceCredentials {
  const [fragment, secret] = [textOf(usernameFragment), textOf(password)]
  if (!ICE_TEXT.test(fragment) || !ICE_TEXT.test(secret) || secret.length < 22)
    throw malformed('The SDP has no ice-ufrag and ice-pwd, or they are not valid.')
  return { usernameFragment: fragment, password: secret }
}

function readDtls(session: SessionDescription, media: MediaDescription): DtlsParameters {
  const { type, hash } = media.fingerprint ?? session.fingerprint ?? {}
  if (
    type === undefined ||
    hash === undefined ||
    !FINGERPRINT.test(hash) ||
    !/^sha-(1|224|256|384|512)$/i.test(type)
  )
    throw malformed('The SDP offer has no DTLS fingerprint, or it is not valid.')
  const setup = media.setup ?? session.setup ?? 'actpass'
  if (setup !== 'actpass' && setup !== 'active' && setup !== 'passive')
    throw malformed('The DTLS setup of the SDP offer is not valid.')
  return {
    role: setup === 'passive' ? 'server' : 'client',
    fingerprints: [{ algorithm: type.toLowerCase(), value: hash.toUpperCase() }],
  }
}

/** sdp-transform gives a number for a text that looks like one, whatever its types say. */
function textOf(value: string | number | undefined): string {
  return value === undefined ? '' : String(value)
}

export function malformed(message: string): Refusal {
  return new Refusal('INVALID_REQUEST', { message })
}

export function unacceptable(message: string): Refusal {
  return new Refusal('NOT_ACCEPTABLE', { message })
}
