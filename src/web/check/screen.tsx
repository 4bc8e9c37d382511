import { BrandLine, BrandLinks } from '../parts/brand.tsx'
import { useRef, useState } from 'react'
import { serverUrl } from '../api.ts'
import { LanguageChoice } from '../parts/language-choice.tsx'
import { playTone } from '../parts/speaker.tsx'
import {
  reportOf,
  running,
  speakerFinding,
  steps,
  summaryOf,
  waiting,
  wordOf,
  type Findings,
  type StepName,
} from './findings.ts'
import { runCheck } from './run.ts'
import { text, useLanguage } from './texts.ts'
import './check.css'

const none = Object.fromEntries(steps.map((step) => [step, waiting])) as Findings
const marks = { waiting: '·', running: '…', good: '✓', warning: '!', bad: '✕' }

/** Whether this browser, these devices and this network are good for a meeting; for everybody, without signing in. */
export function CheckScreen() {
  useLanguage()
  const [findings, setFindings] = useState(none)
  const [state, setState] = useState<'before' | 'running' | 'done'>('before')
  const [asksForTone, setAsksForTone] = useState(false)
  const [copied, setCopied] = useState(false)
  const startedAt = useRef('')
  const set = (step: StepName, finding: Findings[StepName]): void =>
    setFindings((before) => ({ ...before, [step]: finding }))
  const start = async (): Promise<void> => {
    startedAt.current = new Date().toISOString()
    setState('running')
    setCopied(false)
    setFindings({ ...none, speaker: running() })
    const tone = playTone().catch(() => set('speaker', speakerFinding(false)))
    void tone.then(() => setAsksForTone(true))
    await runCheck(set)
    setState('done')
  }
  const answerTone = (heard: boolean): void => {
    setAsksForTone(false)
    set('speaker', speakerFinding(heard))
  }
  const summary = summaryOf(findings)
  const report = reportOf(findings, {
    server: serverUrl,
    at: startedAt.current,
    agent: navigator.userAgent,
  })
  return (
    <main className="centre">
      <section className="card check">
        <BrandLine />
        <h1>{text('check.title')}</h1>
        <p>{text('check.about')}</p>
        <button
          className="primary wide"
          disabled={state === 'running'}
          onClick={() => void start()}
          data-testid="check-start"
        >
          {text(state === 'before' ? 'check.start' : state === 'running' ? 'check.checking' : 'check.again')}
        </button>
        {state !== 'before' && (
          <>
            <ul className="findings">
              {steps.map((step) => {
                const { state: how, sentence, cure } = findings[step]
                return (
                  <li key={step} className={how} data-testid={`check-${step}`} data-state={how}>
                    <span className="check-mark" aria-hidden="true">
                      {marks[how]}
                    </span>
                    <div>
                      <strong>{text(`check.step.${step}`)}</strong>{' '}
                      <span className="visually-hidden">{wordOf(how)}</span>
                      {sentence !== '' && <p>{sentence}</p>}
                      {cure !== undefined && <p className="quiet">{cure}</p>}
                      {step === 'speaker' && asksForTone && (
                        <div className="row">
                          <span>{text('check.tone')}</span>
                          <button onClick={() => answerTone(true)} data-testid="check-heard">
                            {text('check.yes')}
                          </button>
                          <button onClick={() => answerTone(false)}>{text('check.no')}</button>
                        </div>
                      )}
                    </div>
                  </li>
                )
              })}
            </ul>
            <p className={`summary ${summary.state}`} role="status" data-testid="check-summary">
              {summary.state === 'running' && asksForTone && state === 'done'
                ? text('check.sayTone')
                : summary.sentence}
            </p>
            {state === 'done' && (
              <>
                <label htmlFor="report">{text('check.forOperator')}</label>
                <textarea id="report" readOnly rows={9} value={report} data-testid="check-report" />
                <button
                  onClick={() => {
                    void navigator.clipboard.writeText(report).then(
                      () => setCopied(true),
                      () => document.querySelector<HTMLTextAreaElement>('#report')?.select(),
                    )
                  }}
                >
                  {text(copied ? 'copied' : 'check.copyText')}
                </button>
              </>
            )}
          </>
        )}
        <a href={`${serverUrl}/`}>{text('check.startPage')}</a>
        <LanguageChoice />
        <BrandLinks />
      </section>
    </main>
  )
}
