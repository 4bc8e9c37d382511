import { useState } from 'react'
import { Foreign } from '../../parts/foreign.tsx'
import { useAction } from '../query.ts'
import { Form } from '../parts/form.tsx'
import { JsonText } from '../parts/json-text.tsx'
import { CopyButton } from '../parts/copy.tsx'
import { Choice, Field, Lines } from '../parts/field.tsx'
import { Failure } from '../parts/states.tsx'
import { useProject } from '../project.tsx'
import { codeFor, languages, type Claims, type Language, type Wanted } from '../tokens/code.ts'
import type { InspectedToken } from '../../../protocol/rest/keys.ts'
import type { TokenAnswer } from '../../../protocol/rest/tokens.ts'

export function TokensScreen() {
  const { may } = useProject()
  const [pasted, setPasted] = useState('')
  return (
    <>
      <div className="head">
        <h1>Tokens</h1>
      </div>
      <div className="halves">
        {may('POST /v2/admin/projects/{projectId}/token') ? (
          <Generator onMade={setPasted} />
        ) : (
          <section className="box" aria-labelledby="make">
            <h2 id="make">Make a token</h2>
            <p className="quiet">Your role makes no tokens. An operator or an owner can make you one.</p>
          </section>
        )}
        <Inspector key={pasted} token={pasted} />
      </div>
    </>
  )
}

const ENTRIES: Record<string, string[]> = {
  direct: ['allow_join'],
  moderator: ['allow_join', 'allow_mod'],
  ask: ['ask_join'],
}

function Generator({ onMade }: { onMade: (token: string) => void }) {
  const { api, project } = useProject()
  const { busy, problem, run } = useAction()
  const [entry, setEntry] = useState('direct')
  const [roles, setRoles] = useState('')
  const [roomId, setRoomId] = useState('')
  const [participantId, setParticipantId] = useState('')
  const [seconds, setSeconds] = useState('3600')
  const [token, setToken] = useState('')
  const claims: Claims = {
    permissions: ENTRIES[entry]!,
    ...(roomId.trim() !== '' && { roomId: roomId.trim() }),
    ...(participantId.trim() !== '' && { participantId: participantId.trim() }),
    ...(roles !== '' && { roles: roles.split(' ') }),
  }
  const mint = (): void =>
    void run(async () => {
      const answer = await api.admin<TokenAnswer>(
        'POST',
        `/v2/admin/projects/${encodeURIComponent(project.projectId)}/token`,
        { ...claims, expiresInSeconds: Number(seconds) },
      )
      setToken(answer.token)
    })
  return (
    <section className="box" aria-labelledby="make">
      <h2 id="make">Make a token</h2>
      <p className="quiet">
        For trying things out. In production your backend mints them with the key’s secret.
      </p>
      <Form busy={busy} onSubmit={() => mint()}>
        <Choice
          label="Its holder"
          value={entry}
          options={[
            ['direct', 'joins directly (allow_join)'],
            ['moderator', 'joins and moderates (allow_join, allow_mod)'],
            ['ask', 'asks to come in (ask_join)'],
          ]}
          onChange={(event) => setEntry(event.target.value)}
        />
        <div className="pair">
          <Field
            label="Meeting"
            placeholder="any"
            value={roomId}
            onChange={(event) => setRoomId(event.target.value)}
          />
          <Field
            label="Participant id"
            placeholder="any"
            value={participantId}
            onChange={(event) => setParticipantId(event.target.value)}
          />
        </div>
        <div className="pair">
          <Choice
            label="Good for"
            value={roles}
            options={[
              ['', 'joining and REST'],
              ['rtc', 'joining (rtc)'],
              ['crawler', 'REST (crawler)'],
            ]}
            onChange={(event) => setRoles(event.target.value)}
          />
          <Choice
            label="Expires in"
            value={seconds}
            options={[
              ['600', '10 minutes'],
              ['3600', '1 hour'],
              ['86400', '1 day'],
              ['604800', '7 days'],
            ]}
            onChange={(event) => setSeconds(event.target.value)}
          />
        </div>
        <Failure text={problem} />
        <div className="row">
          <button className="primary" disabled={busy}>
            Make token
          </button>
        </div>
      </Form>
      {token !== '' && (
        <div className="form made">
          <Lines
            label="Token"
            className="code"
            readOnly
            rows={5}
            value={token}
            onFocus={(event) => event.target.select()}
          />
          <div className="row">
            <CopyButton what="token" value={token} />
            <button onClick={() => onMade(token)}>Inspect it</button>
          </div>
        </div>
      )}
      <Code wanted={{ claims, expiresInSeconds: Number(seconds), origin: location.origin }} />
    </section>
  )
}

/** Code that mints the same token in the reader's own program. */
function Code({ wanted }: { wanted: Wanted }) {
  const [language, setLanguage] = useState<Language>('Node')
  const code = codeFor(language, wanted)
  return (
    <details className="token-code">
      <summary>Code that mints it</summary>
      <Choice
        label="Language"
        value={language}
        options={languages.map((one) => [one, one] as const)}
        onChange={(event) => setLanguage(event.target.value as Language)}
      />
      <pre className="scroll code" tabIndex={0} role="region" aria-label={`Code for ${language}`}>
        {code}
      </pre>
      <CopyButton what="code" value={code} />
    </details>
  )
}

function Inspector({ token: given }: { token: string }) {
  const { api } = useProject()
  const { busy, problem, run } = useAction()
  const [token, setToken] = useState(given)
  const [explained, setExplained] = useState<InspectedToken>()
  const inspect = (): void =>
    void run(async () =>
      setExplained(
        await api.admin<InspectedToken>('POST', '/v2/admin/token/inspect', { token: token.trim() }),
      ),
    )
  return (
    <section className="box" aria-labelledby="inspect">
      <h2 id="inspect">Inspect a token</h2>
      <p className="quiet">Says what every claim means here, and why a door would refuse it.</p>
      <Form busy={busy} onSubmit={() => inspect()}>
        <Lines
          label="Token to inspect"
          className="code"
          rows={5}
          required
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        <Failure text={problem} />
        <div className="row">
          <button className="primary" disabled={busy}>
            Inspect
          </button>
        </div>
      </Form>
      {explained && <Explained explained={explained} />}
    </section>
  )
}

function Explained({ explained }: { explained: InspectedToken }) {
  const { claims, join, rest } = explained
  const verdicts = [
    ['Joining a meeting', join],
    ['The REST API', rest],
  ] as const
  return (
    <div className="explained" role="region" aria-label="What the token says" aria-live="polite">
      <ul className="verdicts">
        {verdicts.map(([what, { allowed, problem }]) => (
          <li key={what}>
            <span className={`state ${allowed ? 'on' : 'off'}`}>{allowed ? 'Accepted' : 'Refused'}</span>
            <span>
              <b>{what}</b>
              {problem !== undefined && `: ${problem}`}
            </span>
          </li>
        ))}
      </ul>
      <dl className="claims">
        {claims.map(({ name, value, meaning, problem: wrong }) => (
          <div key={name}>
            <dt className="code">
              <Foreign text={name} />
            </dt>
            <dd>
              {value !== undefined && (
                <code>
                  <JsonText json={JSON.stringify(value)} />
                </code>
              )}
              <span>{meaning}</span>
              {wrong !== undefined && <span className="problem">{wrong}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  )
}
