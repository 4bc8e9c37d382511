import { createRoot } from 'react-dom/client'
import '../base.css'
import './dashboard.css'
import { Dashboard } from './dashboard.tsx'

const root = createRoot(document.getElementById('root')!)

function open(): void {
  const code = new URLSearchParams(location.hash.replace(/^#/, '')).get('sign-in') ?? undefined
  // A code does not stay where others see it, nor in the history.
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  root.render(<Dashboard {...(code !== undefined && { code })} />)
}

open()
// The link may be opened where the dashboard is open already.
window.addEventListener('hashchange', open)
