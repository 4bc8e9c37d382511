/** The page at the address of a meeting, and the check. */
import { createRoot } from 'react-dom/client'
import { openPage } from './opening.ts'
import { showApp } from './show-app.tsx'
import { Message } from './screens/message.tsx'
import { PAGE_INCOMPLETE } from './sentences.ts'
import './base.css'
import './style.css'

const address = await openPage()
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
