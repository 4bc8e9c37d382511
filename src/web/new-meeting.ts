import { newKey } from './address.ts'
import { startMeeting, type Pass } from './api.ts'

/** Starts a meeting. The key of an encrypted one is made here, and the server never gets it. */
export async function newMeeting(isEncrypted: boolean): Promise<Pass> {
  return { ...(await startMeeting(isEncrypted)), ...(isEncrypted && { key: newKey() }) }
}
