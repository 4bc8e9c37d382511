import { useState } from 'react'
import { serverUrl } from '../../api.ts'
import { CopyButton } from '../parts/copy.tsx'
import { Choice, Field, Lines } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Empty, Failure, Shown } from '../parts/states.tsx'
import { useProject } from '../project.tsx'
import { useAction, useQuery } from '../query.ts'
import { useRouter } from '../router.tsx'
import {
  addressOf,
  curlOf,
  operationsOf,
  problemOf,
  type OpenApiDocument,
  type Operation,
} from './operations.ts'
import type { KeyList } from '../../../protocol/rest/keys.ts'
import type { TokenAnswer } from '../../../protocol/rest/tokens.ts'

/** The lifetime of the token: enough for one call. */
const TOKEN_SECONDS = 300
/** The most characters of an answer that are shown. */
const MOST_LETTERS = 50_000

/** Calls the REST API with a token of one of the project’s keys. */
export function ConsoleScreen() {
  const { may } = useProject()
  return (
    <>
      <div className="head">
        <h1>Console</h1>
      </div>
      {may('POST /v2/admin/projects/{projectId}/token') ? (
        <Operations />
      ) : (
        <Empty title="Your role makes no calls">
          <p>
            The console calls with tokens of the project’s keys, which your role does not make. All calls are
            described in <a href={`${serverUrl}/openapi.json`}>the API document</a>.
          </p>
        </Empty>
      )}
    </>
  )
}

function Operations() {
  const { api, project } = useProject()
  const query = useQuery(async () => {
    const [document, keys] = await Promise.all([
      api.admin<OpenApiDocument>('GET', '/openapi.json'),
      api.admin<KeyList>('GET', `/v2/admin/keys?projectId=${encodeURIComponent(project.projectId)}`),
    ])
    return {
      operations: operationsOf(document),
      keys: keys.data.filter(({ revokedAt }) => revokedAt === null || revokedAt > Date.now()),
    }
  }, `console ${project.projectId}`)
  return (
    <Shown query={query}>
      {({ operations, keys }) =>
        keys.length === 0 ? (
          <Empty title="This project has no key">
            <p>Make one under Keys; the calls are made with a token of it.</p>
          </Empty>
        ) : (
          <Calls operations={operations} keys={keys} />
        )
      }
    </Shown>
  )
}

function Calls({ operations, keys }: { operations: readonly Operation[]; keys: KeyList['data'] }) {
  const { place, filter } = useRouter()
  const [apiKey, setApiKey] = useState(keys[0]!.apiKey)
  const chosen = operations.find(({ id }) => id === place.query.call) ?? operations[0]!
  return (
    <div className="halves">
      <section className="box" aria-labelledby="call">
        <h2 id="call">Call</h2>
        <div className="form">
          <Choice
            label="API key"
            value={apiKey}
            options={keys.map((one) => [one.apiKey, one.name || one.apiKey] as const)}
            onChange={(event) => setApiKey(event.target.value)}
          />
          <Choice
            label="Operation"
            value={chosen.id}
            options={operations.map(({ id, summary }) => [id, `${id}: ${summary}`] as const)}
            onChange={(event) => filter({ call: event.target.value }, { replace: true })}
          />
        </div>
        {chosen.description !== '' && <p className="quiet">{chosen.description}</p>}
      </section>
      <Call key={chosen.id} operation={chosen} apiKey={apiKey} />
    </div>
  )
}

interface Answer {
  status: number
  tookMs: number
  text: string
}

function Call({ operation, apiKey }: { operation: Operation; apiKey: string }) {
  const { api, project } = useProject()
  const { busy, problem, run } = useAction()
  const [values, setValues] = useState<Record<string, string>>({})
  const [body, setBody] = useState(operation.body ?? '')
  const [wrong, setWrong] = useState('')
  const [answer, setAnswer] = useState<Answer>()
  const { method, parameters } = operation
  const url = serverUrl + addressOf(operation, values)
  const sent = operation.body === undefined ? undefined : body

  const send = (): void => {
    const refusal = problemOf(operation, values, body)
    setWrong(refusal ?? '')
    if (refusal !== undefined) return
    void run(async () => {
      const { token } = await api.admin<TokenAnswer>(
        'POST',
        `/v2/admin/projects/${encodeURIComponent(project.projectId)}/token`,
        {
          apiKey,
          permissions: ['allow_join', 'allow_mod'],
          roles: ['crawler'],
          expiresInSeconds: TOKEN_SECONDS,
        },
      )
      const from = performance.now()
      // Shows every answer unchanged, refusals included.
      const response = await fetch(url, {
        method,
        credentials: 'omit',
        headers: { authorization: token, ...(sent !== undefined && { 'content-type': 'application/json' }) },
        ...(sent !== undefined && { body: sent }),
      })
      const text = await response.text()
      setAnswer({ status: response.status, tookMs: performance.now() - from, text: readable(text) })
    })
  }
  return (
    <section className="box" aria-labelledby="request">
      <h2 id="request" className="code">
        {operation.id}
      </h2>
      <Form busy={busy} onSubmit={send}>
        {parameters.map(({ name, required, hint }) => (
          <Field
            key={name}
            label={name}
            {...(hint !== '' && { hint })}
            placeholder={required ? 'required' : 'any'}
            value={values[name] ?? ''}
            onChange={(event) => setValues({ ...values, [name]: event.target.value })}
          />
        ))}
        {operation.body !== undefined && (
          <Lines
            label="Body"
            className="code"
            rows={8}
            value={body}
            onChange={(event) => setBody(event.target.value)}
          />
        )}
        <Failure text={wrong || problem} />
        <div className="row">
          <button className="primary" disabled={busy}>
            Send
          </button>
          <CopyButton what="curl command" value={curlOf(method, url, sent)} />
        </div>
      </Form>
      {answer && (
        <div className="made" role="region" aria-label="Answer" aria-live="polite">
          <p>
            <span className={`state ${answer.status < 400 ? 'on' : 'off'}`}>HTTP {answer.status}</span>{' '}
            <span className="quiet">in {Math.round(answer.tookMs)} ms</span>
          </p>
          <pre className="scroll code answer" tabIndex={0} role="region" aria-label="Body of the answer">
            {answer.text === '' ? '(empty)' : answer.text}
          </pre>
        </div>
      )}
    </section>
  )
}

/** Indents JSON; returns other texts unchanged. */
function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).slice(0, MOST_LETTERS)
  } catch {
    return text.slice(0, MOST_LETTERS)
  }
}
