/** Whether a browser reaches a TURN server: it is asked with wrong credentials, and must refuse them. */

/** `unknown`: this browser does not tell. */
export type TurnReach = 'reached' | 'silent' | 'unknown'

const PATIENCE_MS = 12_000
const UNAUTHORIZED = 401

export async function reachTurn(urls: readonly string[]): Promise<Map<string, TurnReach>> {
  return new Map(await Promise.all(urls.map(async (url) => [url, await reach(url)] as const)))
}

async function reach(url: string): Promise<TurnReach> {
  if (!('onicecandidateerror' in RTCPeerConnection.prototype)) return 'unknown'
  const connection = new RTCPeerConnection({
    iceServers: [{ urls: url, username: 'check', credential: 'check' }],
    iceTransportPolicy: 'relay',
  })
  try {
    return await new Promise((resolve) => {
      setTimeout(() => resolve('silent'), PATIENCE_MS)
      // Browsers report each of their network interfaces: one that is answered is enough.
      connection.addEventListener('icecandidateerror', ({ errorCode }) => {
        if (errorCode === UNAUTHORIZED) resolve('reached')
      })
      connection.addEventListener('icegatheringstatechange', () => {
        if (connection.iceGatheringState === 'complete') setTimeout(() => resolve('silent'), 200)
      })
      connection.createDataChannel('')
      void connection.setLocalDescription()
    })
  } finally {
    connection.close()
  }
}
