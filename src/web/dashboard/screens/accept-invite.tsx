import { useEffect } from 'react'
import { call } from '../../api.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { useQuery } from '../query.ts'
import { Problem, Skeleton } from '../parts/states.tsx'
import { Card, ChoosePassword } from './sign-in.tsx'
import type { SeenInvite, SignInAnswer } from '../../../protocol/rest/admin.ts'

/** The page behind an operator's invitation: choose a name and a password. */
export function AcceptInvite({
  code,
  onDone,
}: {
  code: string
  /** Without an answer, the person goes on without the link. */
  onDone: (answer?: SignInAnswer) => void
}) {
  const invite = useQuery(
    () => call<SeenInvite>('POST', '/v2/admin/operator-invites/look', { body: { code } }),
    code,
  )
  useEffect(() => {
    document.title = 'Choose a password · Anteroom'
  }, [])
  const { value: seen, problem } = invite
  if (!seen)
    return (
      <Card title="Your link">
        {problem ? <Problem text={problem.message} /> : <Skeleton />}
        {problem && (
          <button className="wide" onClick={() => onDone()}>
            Go to the sign-in
          </button>
        )}
      </Card>
    )
  let answer: SignInAnswer | undefined
  return (
    <Card title="Choose a password">
      <p className="quiet">
        You sign in as{' '}
        <b>
          <Foreign text={seen.name} />
        </b>{' '}
        and have the role {seen.role}. The link works only once; from now on you sign in with this name and a
        password.
      </p>
      <ChoosePassword
        action="Save and continue"
        name={seen.name}
        save={async ({ password }) => {
          answer = await call<SignInAnswer>('POST', '/v2/admin/operator-invites/accept', {
            body: { code, password },
          })
        }}
        onDone={() => onDone(answer)}
      />
    </Card>
  )
}
