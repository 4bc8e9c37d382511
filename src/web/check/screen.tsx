import { BrandLine, BrandLinks } from '../parts/brand.tsx'
import { useRef, useState } from 'react'
import { serverUrl } from '../api.ts'
import { playTone } from '../parts/speaker.tsx'
import {
  reportOf,
  running,
  speakerFinding,
  steps,
  summaryOf,
  waiting,
  type Findings,
  type StepName,
} from './findings.ts'
import { runCheck } from './run.ts'
import './check.css'

const none = Object.fromEntries(Object.keys(steps).map((step) => [step, waiting])) as Findings
const words = {
  waiting: '',
  running: 'Trying',
  good: 'Good',
  warning: 'Could be better',
  bad: 'Does not work',
}
const marks = { waiting: '·', running: '…', good: '✓', warning: '!', bad: '✕' }

/** Whether this browser, these devices and this network are good for a meeting; for everybody, without signing in. */
export function CheckScreen() {
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
    setFindings({ ...none, speaker: running })
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
        <h1>Check this browser</h1>
        <p>
          Camera, microphone, speaker, and whether sound and picture reach this server. It takes half a
          minute; nobody sees or hears you.
        </p>
        <button
          className="primary wide"
          disabled={state === 'running'}
          onClick={() => void start()}
          data-testid="check-start"
        >
          {state === 'before' ? 'Start the check' : state === 'running' ? 'Checking…' : 'Check again'}
        </button>
        {state !== 'before' && (
          <>
            <ul className="findings">
              {(Object.keys(steps) as StepName[]).map((step) => {
                const { state: how, sentence, cure } = findings[step]
                return (
                  <li key={step} className={how} data-testid={`check-${step}`} data-state={how}>
                    <span className="check-mark" aria-hidden="true">
                      {marks[how]}
                    </span>
                    <div>
                      <strong>{steps[step]}</strong> <span className="visually-hidden">{words[how]}</span>
                      {sentence !== '' && <p>{sentence}</p>}
                      {cure !== undefined && <p className="quiet">{cure}</p>}
                      {step === 'speaker' && asksForTone && (
                        <div className="row">
                          <span>Did you hear a tone?</span>
                          <button onClick={() => answerTone(true)} data-testid="check-heard">
                            Yes
                          </button>
                          <button onClick={() => answerTone(false)}>No</button>
                        </div>
                      )}
                    </div>
                  </li>
                )
              })}
            </ul>
            <p className={`summary ${summary.state}`} role="status" data-testid="check-summary">
              {summary.state === 'running' && asksForTone && state === 'done'
                ? 'Say whether you heard the tone.'
                : summary.sentence}
            </p>
            {state === 'done' && (
              <>
                <label htmlFor="report">For whoever runs the server</label>
                <textarea id="report" readOnly rows={9} value={report} data-testid="check-report" />
                <button
                  onClick={() => {
                    void navigator.clipboard.writeText(report).then(
                      () => setCopied(true),
                      () => document.querySelector<HTMLTextAreaElement>('#report')?.select(),
                    )
                  }}
                >
                  {copied ? 'Copied' : 'Copy the text'}
                </button>
              </>
            )}
          </>
        )}
        <a href={`${serverUrl}/`}>Start page</a>
        <BrandLinks />
      </section>
    </main>
  )
}
