import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { parseAddress } from './address.ts'
import { keepFocus } from './parts/keep-focus.ts'
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
keepFocus()
await language
const root = createRoot(document.getElementById('root')!)
if (/\/check\/?$/.test(location.pathname))
  import('./check/screen.tsx').then(
    ({ CheckScreen }) => root.render(<CheckScreen />),
    (error: unknown) => {
      console.error(error)
      root.render(<Message sentence={PAGE_INCOMPLETE} onAgain={() => location.reload()} />)
    },
  )
else root.render(<App address={address} />)
