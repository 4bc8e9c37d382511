import { createRoot } from 'react-dom/client'
import '../base.css'
import './dashboard.css'
import { Dashboard } from './dashboard.tsx'

const code = new URLSearchParams(location.hash.replace(/^#/, '')).get('sign-in') ?? undefined
// A code does not stay where others see it, nor in the history.
if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)

createRoot(document.getElementById('root')!).render(<Dashboard {...(code !== undefined && { code })} />)
