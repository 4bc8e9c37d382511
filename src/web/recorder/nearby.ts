/**
 * The recorder is on the machine of the server, which announces media where others reach it. From inside, that address may lead
 * nowhere: media goes to the address that the page came from, at which the media workers listen too.
 */

const CANDIDATE = /^(a=candidate:\S+ \d+ \S+ \d+ )\S+( \d+ typ host)/gim

/** @param host of the page; only an IPv4 address is taken */
export function withNearbyCandidates(sdp: string, host: string): string {
  if (!/^\d+(\.\d+){3}$/.test(host)) return sdp
  return sdp.replace(CANDIDATE, (_all, before: string, after: string) => before + host + after)
}

type SetDescription = (this: RTCPeerConnection, given: RTCSessionDescriptionInit) => Promise<void>

export function stayNearby(connections: { prototype: object }, host: string): void {
  const prototype = connections.prototype as { setRemoteDescription: SetDescription }
  const original = prototype.setRemoteDescription
  prototype.setRemoteDescription = function ({ type, sdp = '' }) {
    return original.call(this, { type, sdp: withNearbyCandidates(sdp, host) })
  }
}
