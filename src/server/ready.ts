/** Collects what the server prints when it is ready. */
import { access, constants } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { inUrl, isLoopback, isReachedFromHereAlone, kindOf } from '../addresses.ts'
import { ADMIN_KEY_FILE } from '../api/rest/admin/admin-key.ts'
import type { Config } from '../config/read.ts'
import { mediaAddresses } from '../media/addresses.ts'
import type { Sfu } from '../media/sfu.ts'
import type { ServerCore } from './core.ts'
import { readyMessage, type Ready, type ReadyFacts } from './welcome.ts'

export async function readyNow(
  config: Config,
  { keyRing, secretIn }: ServerCore,
  { status }: Sfu,
  facts: Pick<ReadyFacts, 'command' | 'urls' | 'recordingsOff' | 'certificate' | 'firstLink'>,
): Promise<Ready> {
  const pageIsBuilt = await access(join(config.pageFolder, 'index.html'), constants.R_OK).then(
    () => true,
    () => false,
  )
  const announced = config.announcedAddresses?.[0] ?? config.host
  const onlyFromHere = isReachedFromHereAlone(config)
  return readyMessage({
    ...facts,
    config,
    elsewhere: await elsewhereAddress(config, facts.urls),
    pageIsBuilt,
    dataFolder: resolve(config.dataDir),
    apiKey: keyRing.defaultKey()?.apiKey,
    secretIn,
    adminKeyIn: config.adminKey === undefined ? join(config.dataDir, ADMIN_KEY_FILE) : 'ADMIN_KEY',
    media: status,
    onlyFromHere,
    mediaOnlyHere: status.available && isLoopback(announced) && !onlyFromHere ? announced : undefined,
  })
}

/** The HTTPS address of the page for other machines, where browsers allow camera and microphone only with TLS. */
async function elsewhereAddress(config: Config, urls: readonly string[]): Promise<string | undefined> {
  const secure = urls.find((url) => url.startsWith('https:'))
  if (config.publicUrl !== undefined || kindOf(config.host) !== 'any' || secure === undefined)
    return undefined
  const name = config.announcedAddresses?.[0] ?? (await mediaAddresses(config.host, undefined))[0]?.announced
  if (name === undefined || isLoopback(name)) return undefined
  return `https://${inUrl(name)}:${new URL(secure).port || '443'}`
}
