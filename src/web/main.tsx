import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { parseAddress } from './address.ts'
import './base.css'
import './style.css'

const address = parseAddress(location.pathname, location.hash)
// Codes and tokens do not stay where others see them, nor in the history.
if (location.hash !== '') history.replaceState(null, '', location.pathname)

createRoot(document.getElementById('root')!).render(<App address={address} />)
