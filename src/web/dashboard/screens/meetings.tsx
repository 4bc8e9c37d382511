import { useState } from 'react'
import { Dialog } from '../../parts/dialog.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { useQuery, useAction } from '../query.ts'
import { Form } from '../parts/form.tsx'
import { Choice, Field, Lines } from '../parts/field.tsx'
import { Find } from '../parts/find.tsx'
import { ShownPage } from '../parts/pages.tsx'
import { Empty, Failure } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { wordsIn } from '../parts/words-in.ts'
import { pageOf } from '../place.ts'
import { queryOf, useProject } from '../project.tsx'
import { Link, useRouter } from '../router.tsx'
import { formatInstant } from '../format.ts'
import type { PageOf } from '../../../protocol/rest.ts'
import type { Room } from '../../../protocol/rest/rooms.ts'
import type { Session } from '../../../protocol/rest/sessions.ts'

const LIVE_EVERY_MS = 10_000
const PER_PAGE = 20

export function MeetingsScreen() {
  const { inProject, may } = useProject()
  const { place, filter } = useRouter()
  const [creating, setCreating] = useState(false)
  const page = pageOf(place.query)
  const find = place.query.find ?? ''
  const query = useQuery(
    () => inProject<PageOf<Room>>('GET', `/v2/rooms${queryOf({ page, perPage: PER_PAGE, query: find })}`),
    `${page} ${find}`,
  )
  const live = useQuery(
    async () => {
      const { data } = await inProject<PageOf<Session>>('GET', '/v2/sessions?status=ongoing&perPage=100')
      return new Set(data.map(({ roomId }) => roomId))
    },
    'live',
    LIVE_EVERY_MS,
  )
  return (
    <>
      <div className="head">
        <h1>Meetings</h1>
        {may('POST /v2/rooms') && (
          <button className="primary" onClick={() => setCreating(true)}>
            New meeting
          </button>
        )}
      </div>
      <Find
        label="Meeting id or custom id, exactly"
        value={find}
        onFind={(text) => filter({ find: text, page: '' })}
      />
      <ShownPage
        query={query}
        of="meeting"
        empty={
          <Empty title={find ? 'No meeting has this id' : 'No meetings yet'}>
            {!find && <p>Create one here, or let your backend do it with POST /v2/rooms.</p>}
          </Empty>
        }
      >
        {(data) => (
          <Table
            caption="Meetings"
            rows={data}
            keyOf={({ roomId }) => roomId}
            busy={query.loading}
            columns={[
              {
                title: 'Meeting',
                cell: ({ roomId }) => (
                  <Link className="code" path={['meetings', roomId]}>
                    {roomId}
                  </Link>
                ),
              },
              {
                title: 'Custom id',
                cell: ({ customRoomId }) =>
                  customRoomId === undefined ? (
                    <span className="quiet">–</span>
                  ) : (
                    <Foreign text={customRoomId} />
                  ),
              },
              {
                title: 'State',
                cell: (room) => <RoomState room={room} live={live.value?.has(room.roomId)} />,
              },
              {
                title: 'Created',
                cell: ({ createdAt }) => <span className="nowrap">{formatInstant(createdAt)}</span>,
              },
            ]}
          />
        )}
      </ShownPage>
      {creating && <CreateMeeting onClose={() => setCreating(false)} />}
    </>
  )
}

function RoomState({ room, live }: { room: Room; live: boolean | undefined }) {
  if (room.disabled) return <span className="state off">Deactivated</span>
  return live ? <span className="state on">Live</span> : <span className="state">Idle</span>
}

function CreateMeeting({ onClose }: { onClose: () => void }) {
  const { inProject } = useProject()
  const { go } = useRouter()
  const { busy, problem, run } = useAction()
  const [customRoomId, setCustomRoomId] = useState('')
  const [minutes, setMinutes] = useState('480')
  const [closeType, setCloseType] = useState('session-ends')
  const [allowed, setAllowed] = useState('')
  const [endPoint, setEndPoint] = useState('')
  const [events, setEvents] = useState('*')

  const create = async (): Promise<void> => {
    let room: Room | undefined
    const participantIds = wordsIn(allowed)
    await run(async () => {
      room = await inProject<Room>('POST', '/v2/rooms', {
        ...(customRoomId.trim() !== '' && { customRoomId: customRoomId.trim() }),
        autoCloseConfig: { type: closeType, duration: Number(minutes) },
        ...(participantIds.length > 0 && { allowedParticipantIds: participantIds }),
        ...(endPoint.trim() !== '' && { webhook: { endPoint: endPoint.trim(), events: wordsIn(events) } }),
      })
    })
    if (room) go(['meetings', room.roomId])
  }
  return (
    <Dialog title="New meeting" onClose={onClose}>
      <Form busy={busy} onSubmit={() => void create()}>
        <Field
          label="Custom id"
          hint="Optional: your own name for it. A meeting that has it already is opened instead."
          maxLength={128}
          value={customRoomId}
          onChange={(event) => setCustomRoomId(event.target.value)}
        />
        <div className="pair">
          <Field
            label="Close after, in minutes"
            type="number"
            min={1}
            max={525_600}
            required
            value={minutes}
            onChange={(event) => setMinutes(event.target.value)}
          />
          <Choice
            label="And then"
            value={closeType}
            onChange={(event) => setCloseType(event.target.value)}
            options={[
              ['session-ends', 'end the session'],
              ['session-end-and-deactivate', 'end it and deactivate'],
            ]}
          />
        </div>
        <details>
          <summary>More</summary>
          <div className="form">
            <Lines
              label="Only these participant ids"
              hint="Optional: one on a line."
              value={allowed}
              onChange={(event) => setAllowed(event.target.value)}
            />
            <Field
              label="Webhook address"
              hint="Optional: instead of the project's."
              type="url"
              value={endPoint}
              onChange={(event) => setEndPoint(event.target.value)}
            />
            <Field
              label="Its events"
              hint="Names by commas; * for all, session* for those that begin so."
              value={events}
              onChange={(event) => setEvents(event.target.value)}
            />
          </div>
        </details>
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
    </Dialog>
  )
}
