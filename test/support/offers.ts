/** SDP offers as programs make them (contract, outputs §6.2). */

const SESSION = ['v=0', 'o=- 4611731400430051336 2 IN IP4 127.0.0.1', 's=-', 't=0 0']
/** The credentials in these offers. */
export const [UFRAG, PASSWORD] = ['4ZcD', '2/1muCWoOi3uLifh0NuRHlpp']
export const PRINT = Array.from({ length: 32 }, (_, at) =>
  at.toString(16).padStart(2, '0').toUpperCase(),
).join(':')
const CONNECTION = [`a=ice-ufrag:${UFRAG}`, `a=ice-pwd:${PASSWORD}`, `a=fingerprint:sha-256 ${PRINT}`]

/** Of these media, bundled; each is some lines. */
export function offerOf(...media: string[]): string {
  const bundle = `a=group:BUNDLE ${media.map((_, index) => index).join(' ')}`
  return `${[...SESSION, bundle, ...media.flatMap((one) => one.split('\n'))].join('\r\n')}\r\n`
}

export function audio(direction: string, mid = 0): string {
  return [
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    ...CONNECTION,
    'a=setup:actpass',
    `a=mid:${mid}`,
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    ...(direction === 'sendonly' ? [`a=ssrc:${1111 + mid} cname:ann`] : []),
  ].join('\n')
}

/** @param codecs e.g. `96 H264 packetization-mode=1` */
export function video(direction: string, codecs: readonly string[], mid = 1): string {
  const split = codecs.map((codec) => codec.split(' '))
  return [
    `m=video 9 UDP/TLS/RTP/SAVPF ${split.map(([type]) => type).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...CONNECTION,
    'a=setup:actpass',
    `a=mid:${mid}`,
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    `a=${direction}`,
    'a=rtcp-mux',
    ...split.flatMap(([type, name, parameters]) => [
      `a=rtpmap:${type} ${name}/90000`,
      ...(parameters === undefined ? [] : [`a=fmtp:${type} ${parameters}`]),
      `a=rtcp-fb:${type} nack`,
      `a=rtcp-fb:${type} nack pli`,
    ]),
    ...(direction === 'sendonly' ? ['a=ssrc:2222 cname:ann'] : []),
  ].join('\n')
}

/** OBS 30 to 32, with its library's declaration of H264; `layers`: simulcast of OBS 32.1, whose layer 0 is the largest. */
export function obs({ layers = 1 } = {}): string {
  const rids = Array.from({ length: layers }, (_, index) => index)
  const many = layers > 1
  return offerOf(
    [
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'c=IN IP4 0.0.0.0',
      'a=mid:0',
      'a=sendonly',
      ...(many ? ['a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid'] : []),
      'a=ssrc:1001 cname:obs-cname',
      'a=ssrc:1001 msid:obs-stream obs-audio',
      'a=msid:obs-stream obs-audio',
      'a=rtcp-mux',
      'a=rtpmap:111 opus/48000/2',
      'a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1',
      'a=setup:actpass',
      ...CONNECTION,
    ].join('\n'),
    [
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      'c=IN IP4 0.0.0.0',
      'a=mid:1',
      'a=sendonly',
      ...(many
        ? [
            'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
            'a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
            ...rids.map((rid) => `a=rid:${rid} send`),
            `a=simulcast:send ${rids.join(';')}`,
          ]
        : []),
      ...rids.map((rid) => `a=ssrc:${2001 + rid} cname:obs-cname`),
      'a=msid:obs-stream obs-video',
      'a=rtcp-mux',
      'a=rtpmap:96 H264/90000',
      'a=rtcp-fb:96 nack',
      'a=rtcp-fb:96 nack pli',
      'a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1',
      'a=setup:actpass',
      ...CONNECTION,
    ].join('\n'),
  )
}

/** ffmpeg 8: H264 in its real profile, passive in DTLS, without candidates. */
export function ffmpeg(): string {
  return offerOf(
    [
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'c=IN IP4 0.0.0.0',
      ...CONNECTION,
      'a=setup:passive',
      'a=mid:0',
      'a=sendonly',
      'a=msid:FFmpeg audio',
      'a=rtcp-mux',
      'a=rtpmap:111 opus/48000/2',
      'a=ssrc:3001 cname:FFmpeg',
    ].join('\n'),
    [
      'm=video 9 UDP/TLS/RTP/SAVPF 106',
      'c=IN IP4 0.0.0.0',
      ...CONNECTION,
      'a=setup:passive',
      'a=mid:1',
      'a=sendonly',
      'a=msid:FFmpeg video',
      'a=rtcp-mux',
      'a=rtcp-rsize',
      'a=rtpmap:106 H264/90000',
      'a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f',
      'a=ssrc:3002 cname:FFmpeg',
    ].join('\n'),
  )
}
