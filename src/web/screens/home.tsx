import { useState } from 'react'
import { parseJoinText, type Address } from '../address.ts'
import { useMedia } from '../parts/use-media.ts'

/** Start a meeting, or join one by a link or an id. */
export function Home({
  onStart,
  onJoin,
}: {
  onStart: () => Promise<void>
  onJoin: (to: Address) => Promise<void>
}) {
  const [text, setText] = useState('')
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const media = useMedia()
  return (
    <main className="centre">
      <section className="card home">
        <img className="mark large" src={new URL('../mark.svg', import.meta.url).href} alt="" />
        <h1>Anteroom</h1>
        <p>Meet face to face, on a server of your own.</p>
        {media && !media.available && (
          <p className="notice" role={media.preparing ? 'status' : 'alert'} data-testid="media-off">
            {media.reason ?? 'Media is off on this server.'}
          </p>
        )}
        <button
          className="primary wide"
          disabled={busy}
          data-testid="start"
          onClick={() => {
            setBusy(true)
            void onStart().finally(() => setBusy(false))
          }}
        >
          Start a meeting
        </button>
        <form
          className="join"
          onSubmit={(event) => {
            event.preventDefault()
            const to = parseJoinText(text)
            // A link with a code works once.
            if (busy) return
            if (to) {
              setBusy(true)
              void onJoin(to).finally(() => setBusy(false))
            } else setProblem('That is neither an invite link nor a meeting id.')
          }}
        >
          <label htmlFor="join-text">or join with an invite link</label>
          <div className="row">
            <input
              id="join-text"
              value={text}
              readOnly={busy}
              dir="auto"
              placeholder="https://…"
              autoComplete="off"
              aria-invalid={problem !== ''}
              aria-describedby="join-problem"
              onChange={(event) => {
                setText(event.target.value)
                setProblem('')
              }}
            />
            <button type="submit" disabled={busy}>
              Join
            </button>
          </div>
          <p id="join-problem" className="problem" role="alert">
            {problem}
          </p>
        </form>
      </section>
    </main>
  )
}
