/** Shows the sign-in, or the screen of the current place in its frame. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { call, ServerClientError } from '../api.ts'
import { createApi } from './api.ts'
import { Frame } from './frame.tsx'
import { Notices } from './parts/notices.tsx'
import { Problem, Skeleton } from './parts/states.tsx'
import { RouterProvider } from './router.tsx'
import { sentenceFor } from './screens/provider.ts'
import { Card, SignIn } from './screens/sign-in.tsx'
import { AcceptInvite } from './screens/accept-invite.tsx'
import type { SignInAnswer, SignInState } from '../../protocol/rest/admin.ts'

const RequiredEnrolment = lazy(async () => ({
  default: (await import('./account/second-factor.tsx')).RequiredEnrolment,
}))

/**
 * @param code the code of the first-start link, already removed from the address
 * @param invite the code of an operator's invitation, likewise
 * @param refusedFor why the provider's answer signed nobody in
 */
export function Dashboard({
  code,
  invite,
  refusedFor,
}: {
  code?: string
  invite?: string
  refusedFor?: string
}) {
  const [state, setState] = useState<SignInAnswer & Partial<SignInState>>()
  const [accepted, setAccepted] = useState<string>()
  const [problem, setProblem] = useState('')
  const redeemed = useRef<string>(undefined)
  const signedOut = useCallback(
    // The ways to sign in may have changed too.
    () => void call<SignInState>('GET', '/v2/admin/sign-in').then(setState, () => undefined),
    [],
  )
  const api = useMemo(() => createApi({ call, onSignedOut: signedOut }), [signedOut])

  const open = useCallback(async (): Promise<void> => {
    let refusal = ''
    try {
      // A code works once.
      if (code !== undefined && redeemed.current !== code) {
        redeemed.current = code
        try {
          setState(await call<SignInAnswer>('POST', '/v2/admin/sign-in', { body: { code } }))
          return
        } catch (error) {
          refusal = sentence(error)
        }
      }
      setState(await call<SignInState>('GET', '/v2/admin/sign-in'))
    } catch (error) {
      refusal = sentence(error)
    }
    setProblem(refusal)
  }, [code])

  useEffect(() => void open(), [open])

  if (state === undefined)
    return (
      <main className="centre" aria-label="Anteroom dashboard">
        {problem ? <Problem text={problem} retry={() => void open()} /> : <Skeleton />}
      </main>
    )
  if (invite !== undefined && accepted !== invite)
    return (
      <AcceptInvite
        code={invite}
        onDone={(next) => {
          setProblem('')
          setAccepted(invite)
          if (next) setState(next)
        }}
      />
    )
  if (!state.signedIn || !state.passwordSet)
    return (
      <SignIn
        api={api}
        state={state}
        refusal={problem || sentenceFor(refusedFor)}
        onState={(next) => {
          setProblem('')
          setState(next)
        }}
      />
    )
  if (state.needs === 'enrolment')
    return (
      <Card title="Set up a second factor">
        <p className="quiet">Every operator of this server needs one.</p>
        <Suspense fallback={<Skeleton />}>
          <RequiredEnrolment api={api} onDone={signedOut} />
        </Suspense>
      </Card>
    )
  return (
    <RouterProvider>
      <Notices>
        <Frame
          api={api}
          self={state.self}
          onSignOut={async () => {
            const { leaveAt } = await api.admin<SignInAnswer>('POST', '/v2/admin/sign-out', {})
            if (leaveAt === undefined) signedOut()
            else location.assign(leaveAt)
          }}
        />
      </Notices>
    </RouterProvider>
  )
}

const sentence = (error: unknown): string =>
  error instanceof ServerClientError ? error.message : 'That did not work; try again.'
