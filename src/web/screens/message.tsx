import { brand } from '../brand.ts'
import { BrandLine, BrandLinks, Mark } from '../parts/brand.tsx'
import type { Sentence } from '../sentences.ts'
import { text } from '../texts/texts.ts'

/** Why one is not in the meeting, in plain words, and what to do. */
export function Message({
  sentence,
  onAgain,
  onHome,
}: {
  sentence: Sentence
  onAgain?: () => void
  onHome?: () => void
}) {
  return (
    <main className="centre">
      <section className="card" role="alert" data-testid="message">
        {brand.isOwn ? <BrandLine /> : <Mark />}
        <h1>{text(sentence.title)}</h1>
        <p>{text(sentence.advice)}</p>
        <div className="row">
          {onAgain && (
            <button className="primary" onClick={onAgain} data-testid="again">
              {text('tryAgain')}
            </button>
          )}
          {onHome && <button onClick={onHome}>{text('startPage')}</button>}
        </div>
        <BrandLinks />
      </section>
    </main>
  )
}
