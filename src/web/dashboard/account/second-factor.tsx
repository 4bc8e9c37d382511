/** The operator's own second factor: set up, shown, switched off. */
import { useState } from 'react'
import type { NewSecondFactor, RecoveryCodes, SecondFactorState } from '../../../protocol/rest/admin.ts'
import { Dialog } from '../../parts/dialog.tsx'
import type { Api } from '../api.ts'
import { formatInstant } from '../format.ts'
import { Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Failure, Shown } from '../parts/states.tsx'
import { useAction, useQuery } from '../query.ts'
import { QrCode } from './qr-code.tsx'

const PATH = '/v2/admin/second-factor'

export function SecondFactorDialog({ api, onClose }: { api: Api; onClose: () => void }) {
  const query = useQuery(() => api.admin<SecondFactorState>('GET', PATH), 'second factor')
  const [codes, setCodes] = useState<readonly string[]>()
  return (
    <Dialog title="Second factor" onClose={onClose}>
      {codes ? (
        <ShownCodes codes={codes} onDone={onClose} />
      ) : (
        <Shown query={query}>
          {(state) =>
            state.on ? (
              <Present api={api} state={state} onCodes={setCodes} onOff={onClose} />
            ) : (
              <Enrol api={api} onCodes={setCodes} />
            )
          }
        </Shown>
      )}
    </Dialog>
  )
}

/** Shown alone to an operator who must set up a second factor first. */
export function RequiredEnrolment({ api, onDone }: { api: Api; onDone: () => void }) {
  const [codes, setCodes] = useState<readonly string[]>()
  return codes ? <ShownCodes codes={codes} onDone={onDone} /> : <Enrol api={api} onCodes={setCodes} />
}

function Enrol({ api, onCodes }: { api: Api; onCodes: (codes: readonly string[]) => void }) {
  const [begun, setBegun] = useState<NewSecondFactor>()
  const [code, setCode] = useState('')
  const { busy, problem, run } = useAction()
  if (!begun)
    return (
      <>
        <p className="quiet">
          Besides the password, signing in then takes a code of an authenticator app on your phone.
        </p>
        <PasswordOnce
          action="Set it up"
          onGiven={async (password) =>
            setBegun(await api.admin<NewSecondFactor>('POST', `${PATH}/begin`, { password }))
          }
        />
      </>
    )
  return (
    <Form
      busy={busy}
      onSubmit={() =>
        void run(async () =>
          onCodes((await api.admin<RecoveryCodes>('POST', `${PATH}/confirm`, { code })).recoveryCodes),
        )
      }
    >
      <p>Scan this with an authenticator app, or type the key into it.</p>
      <QrCode text={begun.address} label="QR code for an authenticator app" />
      <p className="code key">{begun.secret.match(/.{1,4}/g)!.join(' ')}</p>
      <CodeField
        label="Code of the app"
        hint="Six digits. It proves that the app has the key."
        value={code}
        onChange={setCode}
      />
      <Failure text={problem} />
      <button className="primary wide" disabled={busy}>
        Confirm
      </button>
    </Form>
  )
}

function CodeField({
  label,
  hint,
  value,
  onChange,
}: {
  label: string
  hint: string
  value: string
  onChange: (code: string) => void
}) {
  return (
    <Field
      label={label}
      hint={hint}
      required
      autoFocus
      autoComplete="one-time-code"
      minLength={6}
      maxLength={32}
      spellCheck={false}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}

function Present({
  api,
  state: { since, recoveryCodesLeft, required },
  onCodes,
  onOff,
}: {
  api: Api
  state: SecondFactorState
  onCodes: (codes: readonly string[]) => void
  onOff: () => void
}) {
  const [asking, setAsking] = useState<'codes' | 'off'>()
  return (
    <>
      <p>
        On since {since === null ? '–' : formatInstant(since)}; {recoveryCodesLeft} recovery codes are left.
        {required && ' Every operator of this server needs one.'}
      </p>
      {asking === undefined && (
        <div className="row">
          <button onClick={() => setAsking('codes')}>New recovery codes</button>
          <button className="danger-line" onClick={() => setAsking('off')}>
            Switch it off
          </button>
        </div>
      )}
      {asking === 'codes' && (
        <PasswordOnce
          action="Replace the recovery codes"
          onGiven={async (password) =>
            onCodes(
              (await api.admin<RecoveryCodes>('POST', `${PATH}/recovery-codes`, { password })).recoveryCodes,
            )
          }
        />
      )}
      {asking === 'off' && (
        <PasswordOnce
          action="Switch it off"
          onGiven={async (password) => {
            await api.admin('POST', `${PATH}/disable`, { password })
            onOff()
          }}
        />
      )}
    </>
  )
}

function PasswordOnce({ action, onGiven }: { action: string; onGiven: (password: string) => Promise<void> }) {
  const [password, setPassword] = useState('')
  const { busy, problem, run } = useAction()
  return (
    <Form busy={busy} onSubmit={() => void run(() => onGiven(password))}>
      <Field
        label="Your password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Failure text={problem} />
      <button className="primary wide" disabled={busy}>
        {action}
      </button>
    </Form>
  )
}

function ShownCodes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  return (
    <>
      <p>
        Keep these recovery codes where you keep passwords. Each signs you in once without the app; they are
        not shown again.
      </p>
      <ul className="recovery-codes code" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <button className="primary wide" onClick={onDone}>
        I have kept them
      </button>
    </>
  )
}
