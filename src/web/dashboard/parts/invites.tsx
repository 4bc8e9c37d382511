import { useState } from 'react'
import { Dialog } from '../../parts/dialog.tsx'
import { useQuery, useAction } from '../query.ts'
import { Form } from './form.tsx'
import { queryOf, useProject } from '../project.tsx'
import { pageOf } from '../place.ts'
import { useRouter } from '../router.tsx'
import { formatInstant, formatSpan } from '../format.ts'
import type { PageOf } from '../../../protocol/rest.ts'
import type { Invite, NewInvite } from '../../../protocol/rest/invites.ts'
import type { Room } from '../../../protocol/rest/rooms.ts'
import { Confirm } from './confirm.tsx'
import { CopyField } from './copy.tsx'
import { Choice, Field } from './field.tsx'
import { ShownPage } from './pages.tsx'
import { Empty, Failure } from './states.tsx'
import { Table } from './table.tsx'

/** Creates, counts and revokes the invite links of a meeting. A link is shown once, when it is created. */
export function Invites({ room }: { room: Pick<Room, 'roomId' | 'disabled'> }) {
  const { inProject, may } = useProject()
  const { roomId } = room
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<string>()
  const { place } = useRouter()
  const page = pageOf(place.query)
  const query = useQuery(
    () => inProject<PageOf<Invite>>('GET', `/v2/invites${queryOf({ roomId, page })}`),
    `${roomId} ${page}`,
  )
  return (
    <section aria-labelledby="invites">
      <div className="head">
        <h2 id="invites">Invite links</h2>
        {!room.disabled && may('POST /v2/invites') && (
          <button onClick={() => setCreating(true)}>New invite link</button>
        )}
      </div>
      <ShownPage query={query} of="invite link" empty={<Empty title="No invite links" />}>
        {(invites) => (
          <Table
            caption="Invite links"
            rows={invites}
            keyOf={({ inviteId }) => inviteId}
            busy={query.loading}
            columns={[
              {
                title: 'Lets in',
                cell: ({ entry }) => (entry === 'direct' ? 'directly' : 'after asking'),
              },
              {
                title: 'Created',
                cell: ({ createdAt }) => <span className="nowrap">{formatInstant(createdAt)}</span>,
              },
              {
                title: 'State',
                cell: (invite) => <InviteState invite={invite} />,
              },
              {
                title: 'Used',
                figures: true,
                cell: ({ uses, maxUses }) => (maxUses === null ? `${uses}` : `${uses} of ${maxUses}`),
              },
              {
                title: 'Revoke',
                actions: true,
                cell: (invite) =>
                  isInForce(invite) &&
                  may('POST /v2/invites/{inviteId}/revoke') && (
                    <button
                      className="danger-line"
                      aria-label={`Revoke the link of ${formatInstant(invite.createdAt)}`}
                      onClick={() => setRevoking(invite.inviteId)}
                    >
                      Revoke
                    </button>
                  ),
              },
            ]}
          />
        )}
      </ShownPage>
      {creating && (
        <CreateInvite roomId={roomId} onCreated={query.reload} onClose={() => setCreating(false)} />
      )}
      {revoking !== undefined && (
        <Confirm
          title="Revoke this link?"
          action="Revoke"
          danger
          onConfirm={async () => {
            await inProject('POST', `/v2/invites/${encodeURIComponent(revoking)}/revoke`, { roomId })
            query.reload()
          }}
          onClose={() => setRevoking(undefined)}
        >
          <p>It lets nobody in any more. Who came in by it stays.</p>
        </Confirm>
      )}
    </section>
  )
}

const isInForce = ({ revoked, expiresAt, uses, maxUses }: Invite): boolean =>
  !revoked && expiresAt > Date.now() && (maxUses === null || uses < maxUses)

function InviteState({ invite }: { invite: Invite }) {
  if (invite.revoked) return <span className="state off">Revoked</span>
  if (invite.expiresAt <= Date.now()) return <span className="state">Expired</span>
  if (!isInForce(invite)) return <span className="state">Used up</span>
  return <span className="state on">For {formatSpan(invite.expiresAt - Date.now())} more</span>
}

function CreateInvite({
  roomId,
  onCreated,
  onClose,
}: {
  roomId: string
  onCreated: () => void
  onClose: () => void
}) {
  const { inProject } = useProject()
  const { busy, problem, run } = useAction()
  const [entry, setEntry] = useState('ask')
  const [seconds, setSeconds] = useState('604800')
  const [maxUses, setMaxUses] = useState('')
  const [link, setLink] = useState<string>()
  const create = (): void =>
    void run(async () => {
      const made = await inProject<NewInvite>('POST', '/v2/invites', {
        roomId,
        entry,
        expiresInSeconds: Number(seconds),
        ...(maxUses !== '' && { maxUses: Number(maxUses) }),
      })
      setLink(made.link)
      onCreated()
    })
  return (
    <Dialog title="New invite link" onClose={onClose}>
      {link === undefined ? (
        <Form busy={busy} onSubmit={() => create()}>
          <Choice
            label="Whoever has it"
            value={entry}
            options={[
              ['ask', 'asks, and waits to be let in'],
              ['direct', 'joins directly'],
            ]}
            onChange={(event) => setEntry(event.target.value)}
          />
          <div className="pair">
            <Choice
              label="Works for"
              value={seconds}
              options={[
                ['3600', '1 hour'],
                ['86400', '1 day'],
                ['604800', '7 days'],
                ['2592000', '30 days'],
              ]}
              onChange={(event) => setSeconds(event.target.value)}
            />
            <Field
              label="Uses at most"
              type="number"
              min={1}
              max={1_000_000}
              placeholder="any number"
              value={maxUses}
              onChange={(event) => setMaxUses(event.target.value)}
            />
          </div>
          <Failure text={problem} />
          <div className="dialog-foot">
            <button type="button" onClick={onClose}>
              Cancel
            </button>
            <button className="primary" disabled={busy}>
              Create
            </button>
          </div>
        </Form>
      ) : (
        <div className="form">
          <CopyField id="invite-link" label="Invite link" value={link} />
          <p className="quiet">It is shown only now.</p>
          <div className="dialog-foot">
            <button className="primary" onClick={onClose}>
              Done
            </button>
          </div>
        </div>
      )}
    </Dialog>
  )
}
