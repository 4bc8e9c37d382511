/**
 * The page at the bare address. It shows the start page, which needs little, and loads the rest behind it.
 */
import type { Address } from './address.ts'
import { newMeeting } from './new-meeting.ts'
import { openPage } from './opening.ts'
import { showStart } from './screens/start-screen.ts'
import './base.css'
import './style.css'

const address = await openPage()
const loadApp = () => import('./show-app.tsx')

// An app that embeds the page hands over a token, and so does our dashboard, which opened it.
if (address.signIn !== undefined || window.parent !== window || window.opener !== null)
  (await loadApp()).showApp({ address })
else showStartFirst()

function showStartFirst(): void {
  const stop = showStart(document.getElementById('root')!, {
    onStart: async (isEncrypted) => {
      const made = newMeeting(isEncrypted).then(
        (pass) => ({ pass }),
        (failed: unknown) => ({ failed }),
      )
      const { showApp } = await loadApp()
      const first = await made
      stop()
      showApp(first)
    },
    onJoin: async (to: Address) => {
      const { showApp } = await loadApp()
      stop()
      showApp({ address: to })
    },
  })
  // After the first frame, so that what is loaded does not delay it. A failure is reported at the click.
  requestAnimationFrame(() =>
    setTimeout(() => {
      loadApp().catch(() => undefined)
    }),
  )
}
