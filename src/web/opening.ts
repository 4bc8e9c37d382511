/** What every page at an address of ours does first: it reads the address, and shows its language and theme. */
import { parseAddress, type Address } from './address.ts'
import { showFirstLanguage } from './texts/texts.ts'
import { showTheme } from './theme.ts'

/** Returns where the address leads, once the texts are here. */
export async function openPage(): Promise<Address> {
  const address = parseAddress(location.pathname, location.hash)
  // Reads the address, so it starts before the address is shortened.
  const language = showFirstLanguage()
  // Codes and tokens must not stay in the address bar or the history, where others can see them.
  if (location.hash !== '') history.replaceState(null, '', location.pathname)
  showTheme()
  await language
  return address
}
