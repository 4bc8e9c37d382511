import { createRoot } from 'react-dom/client'
import { App, type First } from './app.tsx'
import { keepFocus } from './parts/keep-focus.ts'

/** Shows the page from here on. */
export function showApp(first: First): void {
  keepFocus()
  createRoot(document.getElementById('root')!).render(<App first={first} />)
}
