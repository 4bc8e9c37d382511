/** The certificate of one run of this node: it exists in memory alone, and other nodes recognise it by its fingerprint in the table `nodes`. */
import { X509Certificate } from 'node:crypto'

export interface Credentials {
  cert: string
  key: string
  fingerprint: string
}

export async function makeCredentials(nodeId: string): Promise<Credentials> {
  // Loaded here: it brings along two hundred modules that a server alone does not need.
  const { generate } = await import('selfsigned')
  const { cert, private: key } = await generate([{ name: 'commonName', value: nodeId }], { keyType: 'ec' })
  return { cert, key, fingerprint: plain(new X509Certificate(cert).fingerprint256) }
}

/** A fingerprint without colons, in lower case. */
export const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()
