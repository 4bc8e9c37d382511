import { useState } from 'react'
import { parseJoinText, type Address } from '../address.ts'
import { brand } from '../brand.ts'
import { BrandLinks, Mark } from '../parts/brand.tsx'
import { Foreign } from '../parts/foreign.tsx'
import { LanguageChoice } from '../parts/language-choice.tsx'
import { useMedia } from '../parts/use-media.ts'
import { text } from '../texts/texts.ts'

/** Start a meeting, or join one by a link or an id. */
export function Home({
  onStart,
  onJoin,
}: {
  onStart: (isEncrypted: boolean) => Promise<void>
  onJoin: (to: Address) => Promise<void>
}) {
  const [link, setLink] = useState('')
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const [isEncrypted, setEncrypted] = useState(false)
  const media = useMedia()
  return (
    <main className="centre">
      <section className="card home">
        <Mark large />
        <h1>
          <Foreign text={brand.name} />
        </h1>
        <p>{text('home.about')}</p>
        {media && !media.available && (
          <p className="notice" role={media.preparing ? 'status' : 'alert'} data-testid="media-off">
            {media.reason ?? text('home.mediaOff')}
          </p>
        )}
        <button
          className="primary wide"
          disabled={busy}
          data-testid="start"
          onClick={() => {
            setBusy(true)
            void onStart(isEncrypted).finally(() => setBusy(false))
          }}
        >
          {text('home.start')}
        </button>
        <label className="radio">
          <input
            type="checkbox"
            checked={isEncrypted}
            disabled={busy}
            onChange={({ target }) => setEncrypted(target.checked)}
            data-testid="start-encrypted"
          />
          {text('home.encrypt')}
        </label>
        <form
          className="join"
          onSubmit={(event) => {
            event.preventDefault()
            const to = parseJoinText(link)
            // A link with a code works once.
            if (busy) return
            if (to) {
              setBusy(true)
              void onJoin(to).finally(() => setBusy(false))
            } else setProblem(text('home.neither'))
          }}
        >
          <label htmlFor="join-text">{text('home.orJoin')}</label>
          <div className="row">
            <input
              id="join-text"
              value={link}
              readOnly={busy}
              dir="auto"
              placeholder="https://…"
              autoComplete="off"
              aria-invalid={problem !== ''}
              aria-describedby="join-problem"
              onChange={(event) => {
                setLink(event.target.value)
                setProblem('')
              }}
            />
            <button type="submit" disabled={busy}>
              {text('join')}
            </button>
          </div>
          <p id="join-problem" className="problem" role="alert">
            {problem}
          </p>
        </form>
        <LanguageChoice />
        <BrandLinks />
      </section>
    </main>
  )
}
