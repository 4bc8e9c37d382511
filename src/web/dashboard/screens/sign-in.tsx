import { useEffect, useState, type ReactNode } from 'react'
import { call } from '../../api.ts'
import type { Api } from '../api.ts'
import type { SignInAnswer, SignInBody, SignInState } from '../../../protocol/rest/admin.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { useAction } from '../query.ts'
import { START_AT_PROVIDER } from './provider.ts'
import { Form } from '../parts/form.tsx'
import { Field } from '../parts/field.tsx'
import { Failure } from '../parts/states.tsx'

/** The minimum length of a password, as the server requires it. */
const LEAST_PASSWORD = 10

/** Signs in by the link that the server prints at its first start or `anteroom admin reset` prints, or by the password chosen here. */
export function SignIn({
  api,
  state,
  refusal,
  onState,
}: {
  api: Api
  state: SignInAnswer & Partial<SignInState>
  /** Why the link that was opened did not work. */
  refusal: string
  onState: (state: SignInAnswer) => void
}) {
  const { busy, problem, run } = useAction()
  /** The accepted name and password, while the code is asked for. */
  const [given, setGiven] = useState<SignInBody>()
  const enter = (body: SignInBody): void =>
    void run(async () => {
      const answer = await call<SignInAnswer>('POST', '/v2/admin/sign-in', { body })
      if (answer.needs === 'second-factor') setGiven(body)
      else onState(answer)
    })

  useEffect(() => {
    document.title = 'Sign in · Anteroom'
  }, [])

  if (state.signedIn)
    return (
      <Card title="Choose a password">
        <p className="quiet">
          The link worked, and works only once. From now on you sign in with a password.
        </p>
        <ChoosePassword
          action="Save and continue"
          name={state.self?.name}
          save={(given) => api.admin('POST', '/v2/admin/password', given)}
          onDone={() => onState({ ...state, passwordSet: true })}
        />
      </Card>
    )
  if (given !== undefined)
    return (
      <Card title="Enter a code">
        <CodeForm
          busy={busy}
          problem={problem}
          onSubmit={(secondFactor) => enter({ ...given, secondFactor })}
          onBack={() => setGiven(undefined)}
        />
      </Card>
    )
  if (state.passwordSet)
    return (
      <Card title="Sign in">
        <PasswordForm
          busy={busy}
          problem={problem || refusal}
          asksName={state.asksName ?? false}
          onSubmit={enter}
        />
        <Provider name={state.provider} />
      </Card>
    )
  return (
    <Card title="Welcome to Anteroom">
      <p className="quiet">
        Open the sign-in link that the server showed in its terminal when it started, or that “anteroom admin
        reset” prints. You can also paste it here.
      </p>
      <LinkForm busy={busy} problem={problem || refusal} onSubmit={(text) => enter({ code: codeIn(text) })} />
      <Provider name={state.provider} />
    </Card>
  )
}

/** The button that signs in with the provider, if one is configured. */
function Provider({ name }: { name: string | null | undefined }) {
  if (name == null) return null
  return (
    <a className="button wide provider" href={START_AT_PROVIDER}>
      <span>
        Sign in with <Foreign text={name} />
      </span>
    </a>
  )
}

export function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="centre">
      <section className="card sign-in">
        <img className="mark large" src={new URL('../../mark.svg', import.meta.url).href} alt="" />
        <h1>{title}</h1>
        {children}
      </section>
    </main>
  )
}

function PasswordForm({
  busy,
  problem,
  asksName,
  onSubmit,
}: {
  busy: boolean
  problem: string
  asksName: boolean
  onSubmit: (given: { name?: string; password: string }) => void
}) {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  return (
    <Form busy={busy} onSubmit={() => onSubmit({ ...(asksName && { name }), password })}>
      {asksName && (
        <Field
          label="Name"
          autoComplete="username"
          required
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      )}
      <Field
        label="Password"
        type="password"
        autoComplete="current-password"
        required
        autoFocus={!asksName}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Failure text={problem} />
      <button className="primary wide" disabled={busy}>
        Sign in
      </button>
    </Form>
  )
}

/** The second step of somebody with a second factor. */
function CodeForm({
  busy,
  problem,
  onSubmit,
  onBack,
}: {
  busy: boolean
  problem: string
  onSubmit: (code: string) => void
  onBack: () => void
}) {
  const [code, setCode] = useState('')
  return (
    <Form busy={busy} onSubmit={() => onSubmit(code)}>
      <Field
        label="Code"
        hint="Six digits of your authenticator app, or a recovery code."
        required
        autoFocus
        autoComplete="one-time-code"
        minLength={6}
        maxLength={32}
        spellCheck={false}
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      <Failure text={problem} />
      <button className="primary wide" disabled={busy}>
        Sign in
      </button>
      <button type="button" className="wide" disabled={busy} onClick={onBack}>
        Back
      </button>
    </Form>
  )
}

function LinkForm({
  busy,
  problem,
  onSubmit,
}: {
  busy: boolean
  problem: string
  onSubmit: (text: string) => void
}) {
  const [text, setText] = useState('')
  return (
    <Form busy={busy} onSubmit={() => onSubmit(text)}>
      <Field
        label="Sign-in link"
        required
        placeholder="http://…/dashboard#sign-in=…"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Failure text={problem} />
      <button className="primary wide" disabled={busy}>
        Continue
      </button>
    </Form>
  )
}

/** Asks for a new password twice, and for the current one if there is one. */
export function ChoosePassword({
  action,
  name,
  askCurrent = false,
  save: send,
  onDone,
}: {
  action: string
  /** The user name, for the browser's password manager. */
  name?: string | undefined
  askCurrent?: boolean
  save: (given: { password: string; current?: string }) => Promise<unknown>
  onDone: () => void
}) {
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const [differs, setDiffers] = useState(false)
  const { busy, problem, run } = useAction()
  const save = async (): Promise<void> => {
    setDiffers(password !== again)
    if (password !== again) return
    const body = { password, ...(askCurrent && { current }) }
    if (await run(() => send(body))) onDone()
  }
  return (
    <Form busy={busy} onSubmit={() => void save()}>
      {name !== undefined && <input hidden autoComplete="username" value={name} readOnly />}
      {askCurrent && (
        <Field
          label="Present password"
          type="password"
          autoComplete="current-password"
          required
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
        />
      )}
      <Field
        label="New password"
        type="password"
        autoComplete="new-password"
        minLength={LEAST_PASSWORD}
        required
        hint={`At least ${LEAST_PASSWORD} characters.`}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Field
        label="Once more"
        type="password"
        autoComplete="new-password"
        required
        value={again}
        onChange={(event) => setAgain(event.target.value)}
      />
      <Failure text={differs ? 'The two are not the same.' : problem} />
      <button className="primary wide" disabled={busy}>
        {action}
      </button>
    </Form>
  )
}

/** Accepts a code, or a whole link that contains one. */
function codeIn(text: string): string {
  const trimmed = text.trim()
  return /#sign-in=([^&\s]+)/.exec(trimmed)?.[1] ?? trimmed
}
