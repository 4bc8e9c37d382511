/** The certificate of one run of this node: made in memory; others know it by its fingerprint in the table of nodes. */
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

/** Without colons, in small letters. */
export const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()
