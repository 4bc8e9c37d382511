import { Foreign } from '../../parts/foreign.tsx'
import { useQuery } from '../query.ts'
import { Find } from '../parts/find.tsx'
import { Empty, Shown } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { useProject } from '../project.tsx'
import { useRouter } from '../router.tsx'
import type { Setting, SettingList } from '../../../protocol/rest/keys.ts'

export function SettingsScreen() {
  const { api } = useProject()
  const { place, filter } = useRouter()
  const find = (place.query.find ?? '').toLowerCase()
  const query = useQuery(
    async () => (await api.admin<SettingList>('GET', '/v2/admin/settings')).data,
    'settings',
  )
  return (
    <>
      <div className="head">
        <h1>Settings</h1>
      </div>
      <p className="quiet">
        The server reads them from its environment when it starts. To change one, set the variable and start
        it again.
      </p>
      <Find
        label="Name or meaning"
        value={place.query.find ?? ''}
        onFind={(text) => filter({ find: text })}
      />
      <Shown query={query}>
        {(settings) => {
          const rows = settings.filter(({ variable, help }) =>
            `${variable} ${help}`.toLowerCase().includes(find),
          )
          return rows.length === 0 ? (
            <Empty title="No setting fits" />
          ) : (
            <Table
              caption="Settings"
              rows={rows}
              keyOf={({ variable }) => variable}
              columns={[
                {
                  title: 'Variable',
                  cell: ({ variable }) => <span className="code nowrap">{variable}</span>,
                },
                { title: 'Value', cell: (setting) => <Value setting={setting} /> },
                {
                  title: 'From',
                  cell: ({ source }) =>
                    source === 'environment' ? (
                      <span className="state on">Environment</span>
                    ) : (
                      <span className="state">Default</span>
                    ),
                },
                { title: 'What it is', cell: ({ help }) => help },
              ]}
            />
          )
        }}
      </Shown>
    </>
  )
}

function Value({ setting: { value, source } }: { setting: Setting }) {
  if (value === null || value === '')
    return <span className="quiet">{source === 'environment' ? 'set, not shown' : '–'}</span>
  return (
    <span className="code">
      <Foreign text={value} />
    </span>
  )
}
