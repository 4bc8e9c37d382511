/** The outputs of a project: recordings, HLS, livestreams and transcripts. */
import { useState } from 'react'
import { Foreign } from '../../parts/foreign.tsx'
import { Choice } from '../parts/field.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { Find } from '../parts/find.tsx'
import { useNotice } from '../parts/notices.tsx'
import { ShownPage } from '../parts/pages.tsx'
import { Empty } from '../parts/states.tsx'
import { Table, type Column } from '../parts/table.tsx'
import { formatBytes, formatInstant, formatSpan } from '../format.ts'
import { pageOf } from '../place.ts'
import { queryOf, useProject } from '../project.tsx'
import { useQuery } from '../query.ts'
import { Link, useRouter } from '../router.tsx'
import type { PageInfo } from '../../../protocol/rest.ts'
import { outputKinds, type OutputKind, type OutputRow } from './kinds.ts'
import { Player } from './player.tsx'

const PER_PAGE = 20

type Answer = { pageInfo: PageInfo } & Partial<Record<OutputKind['field'], never[]>>

export function OutputsScreen() {
  const { inProject, may } = useProject()
  const { place, filter } = useRouter()
  const page = pageOf(place.query)
  const { meeting = '', session = '' } = place.query
  const kind = outputKinds.find(({ name }) => name === place.query.kind) ?? outputKinds[0]!
  const [open, setOpen] = useState<{ row: OutputRow; to: 'play' | 'delete' }>()
  const query = useQuery(async () => {
    const fields = { page, perPage: PER_PAGE, roomId: meeting, sessionId: session }
    const answer = await inProject<Answer>('GET', `${kind.path}${queryOf(fields)}`)
    return { pageInfo: answer.pageInfo, data: (answer[kind.field] ?? []).map(kind.toRow) }
  }, [kind.name, page, meeting, session].join(' '))
  const filtered = meeting !== '' || session !== ''
  return (
    <>
      <div className="head">
        <h1>Outputs</h1>
      </div>
      <div className="filters">
        <Choice
          label="Kind"
          value={kind.name}
          options={outputKinds.map(({ name, title }) => [name, title])}
          onChange={(event) => filter({ kind: event.target.value, page: '' })}
        />
        <Find
          key={`meeting ${meeting}`}
          label="Meeting id or custom id, exactly"
          value={meeting}
          onFind={(text) => filter({ meeting: text, page: '' })}
        />
        <Find
          key={`session ${session}`}
          label="Session id, exactly"
          value={session}
          onFind={(text) => filter({ session: text, page: '' })}
        />
      </div>
      <ShownPage
        // Until the answer arrives, the loaded rows are of the previous kind.
        key={kind.name}
        query={query}
        of={kind.one}
        many={kind.name === 'hls' ? 'HLS outputs' : kind.title.toLowerCase()}
        empty={
          <Empty
            title={
              filtered
                ? 'Nothing fits these filters'
                : `No ${kind.title === 'HLS' ? 'HLS' : kind.title.toLowerCase()} yet`
            }
          >
            {filtered ? (
              <button onClick={() => filter({ meeting: '', session: '', page: '' })}>Show all</button>
            ) : (
              <p>They are started in a meeting by its moderators, or over the REST API.</p>
            )}
          </Empty>
        }
      >
        {(rows) => (
          <Table
            caption={kind.title}
            rows={rows}
            keyOf={({ id }) => id}
            busy={query.loading}
            columns={columnsOf(kind, kind.canDelete && may(`DELETE ${kind.path}/{id}`), (row, to) =>
              setOpen({ row, to }),
            )}
          />
        )}
      </ShownPage>
      {open?.to === 'play' && open.row.plays && (
        <Player title={titleOf(open.row)} plays={open.row.plays} onClose={() => setOpen(undefined)} />
      )}
      {open?.to === 'delete' && (
        <Deletion kind={kind} row={open.row} onDeleted={query.reload} onClose={() => setOpen(undefined)} />
      )}
    </>
  )
}

const titleOf = ({ start }: OutputRow): string => (start === null ? 'Output' : formatInstant(start))

function columnsOf(
  { name }: OutputKind,
  canDelete: boolean,
  onOpen: (row: OutputRow, to: 'play' | 'delete') => void,
): Column<OutputRow>[] {
  const ofOne = name === 'participants' || name === 'tracks'
  const hasSize = !['hls', 'livestreams', 'transcripts'].includes(name)
  return [
    { title: 'Began', cell: ({ start }) => (start === null ? '–' : formatInstant(start)) },
    {
      title: 'Meeting',
      cell: ({ roomId }) => (
        <Link className="code" path={['meetings', roomId]}>
          <Foreign text={roomId} />
        </Link>
      ),
    },
    ...(name === 'livestreams'
      ? [{ title: 'To', cell: ({ who }: OutputRow) => <Foreign text={who} /> }]
      : []),
    ...(ofOne ? [{ title: 'Who', cell: ({ who }: OutputRow) => <Foreign text={who} /> }] : []),
    { title: 'State', cell: (row) => <State row={row} leavesFile={name !== 'livestreams'} /> },
    {
      title: 'Lasted',
      figures: true,
      cell: ({ lastedMs }) => (lastedMs === undefined ? '–' : formatSpan(lastedMs)),
    },
    ...(hasSize
      ? [
          {
            title: 'Size',
            figures: true,
            cell: ({ size }: OutputRow) => (size === undefined ? '–' : formatBytes(size)),
          },
        ]
      : []),
    {
      title: 'Actions',
      actions: true,
      cell: (row) => (
        <span className="row">
          {row.plays && <button onClick={() => onOpen(row, 'play')}>Play</button>}
          {row.files.map((file) => (
            <a key={file.address} className="button" href={file.address} download={file.name}>
              {row.files.length === 1 ? 'Download' : file.name}
            </a>
          ))}
          {canDelete && row.end !== null && <button onClick={() => onOpen(row, 'delete')}>Delete</button>}
        </span>
      ),
    },
  ]
}

function State({ row: { end, files, plays }, leavesFile }: { row: OutputRow; leavesFile: boolean }) {
  if (end === null) return <span className="state on">Going on</span>
  return (
    <span className="state">
      {leavesFile && files.length === 0 && !plays ? 'Ended without a file' : 'Ended'}
    </span>
  )
}

function Deletion({
  kind: { path, one },
  row,
  onDeleted,
  onClose,
}: {
  kind: OutputKind
  row: OutputRow
  onDeleted: () => void
  onClose: () => void
}) {
  const { inProject } = useProject()
  const say = useNotice()
  return (
    <Confirm
      title={`Delete this ${one}?`}
      action="Delete"
      danger
      onConfirm={async () => {
        await inProject('DELETE', `${path}/${encodeURIComponent(row.id)}`)
        say('It is deleted.')
        onDeleted()
      }}
      onClose={onClose}
    >
      <p>Its files go with it, and its addresses lead nowhere then. This cannot be taken back.</p>
    </Confirm>
  )
}
