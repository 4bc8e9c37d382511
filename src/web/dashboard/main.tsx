import { createRoot } from 'react-dom/client'
import '../base.css'
import './dashboard.css'
import { Dashboard } from './dashboard.tsx'

const root = createRoot(document.getElementById('root')!)

function open(): void {
  const fields = new URLSearchParams(location.hash.replace(/^#/, ''))
  const [code, invite, problem] = ['sign-in', 'invite', 'sign-in-problem'].map((name) => fields.get(name))
  // Keeps the code out of the address bar and the history.
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  root.render(
    <Dashboard
      {...(code != null && { code })}
      {...(invite != null && { invite })}
      {...(problem != null && { refusedFor: problem })}
    />,
  )
}

open()
// The link may be opened in a tab that already shows the dashboard.
window.addEventListener('hashchange', open)
