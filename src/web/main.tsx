/** The page at the address of a meeting, and the check. */
import { createRoot } from 'react-dom/client'
import { parseAddress } from './address.ts'
import { showApp } from './show-app.tsx'
import { Message } from './screens/message.tsx'
import { PAGE_INCOMPLETE } from './sentences.ts'
import { showFirstLanguage } from './texts/texts.ts'
import { showTheme } from './theme.ts'
import './base.css'
import './style.css'

const address = parseAddress(location.pathname, location.hash)
// Reads the address, so it starts before the address is shortened.
const language = showFirstLanguage()
// Codes and tokens must not stay in the address bar or the history, where others can see them.
if (location.hash !== '') history.replaceState(null, '', location.pathname)

showTheme()
await language
if (/\/check\/?$/.test(location.pathname)) {
  const root = createRoot(document.getElementById('root')!)
  import('./check/screen.tsx').then(
    ({ CheckScreen }) => root.render(<CheckScreen />),
    (error: unknown) => {
      console.error(error)
      root.render(<Message sentence={PAGE_INCOMPLETE} onAgain={() => location.reload()} />)
    },
  )
} else showApp({ address })
