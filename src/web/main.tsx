import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { parseAddress } from './address.ts'
import './base.css'
import './style.css'

const address = parseAddress(location.pathname, location.hash)
// Codes and tokens must not stay in the address bar or the history, where others can see them.
if (location.hash !== '') history.replaceState(null, '', location.pathname)

createRoot(document.getElementById('root')!).render(<App address={address} />)
