/** The frame around every screen: navigation, the choice of project, and the operator's menu. */
import { lazy, Suspense, useEffect, useState } from 'react'
import { isolated } from '../isolate.ts'
import { Foreign } from '../parts/foreign.tsx'
import { Dialog } from '../parts/dialog.tsx'
import type { Api } from './api.ts'
import { useQuery } from './query.ts'
import { Boundary } from './parts/boundary.tsx'
import { Glyph, type GlyphName } from './parts/glyph.tsx'
import { useNotice } from './parts/notices.tsx'
import { Problem, Shown, Skeleton } from './parts/states.tsx'
import { mayCall, ProjectContext } from './project.tsx'
import { Link, useRouter } from './router.tsx'
import { KeysScreen } from './keys/screen.tsx'
import { MeetingScreen } from './meeting/screen.tsx'
import { MeetingsScreen } from './screens/meetings.tsx'
import { OverviewScreen } from './screens/overview.tsx'
import { SessionsScreen } from './screens/sessions.tsx'
import { SettingsScreen } from './screens/settings.tsx'
import { ChoosePassword } from './screens/sign-in.tsx'
import { DeliveryScreen } from './screens/delivery.tsx'
import { WebhooksScreen } from './screens/webhooks.tsx'
import type { Self } from '../../protocol/rest/admin.ts'
import type { Project, ProjectList } from '../../protocol/rest/keys.ts'

// Loaded when they are opened, which keeps the first screen small.
const AuditScreen = lazy(async () => ({ default: (await import('./audit/screen.tsx')).AuditScreen }))
const ConsoleScreen = lazy(async () => ({ default: (await import('./console/screen.tsx')).ConsoleScreen }))
const OperatorsScreen = lazy(async () => ({
  default: (await import('./operators/screen.tsx')).OperatorsScreen,
}))
const OutputsScreen = lazy(async () => ({ default: (await import('./outputs/screen.tsx')).OutputsScreen }))
const SecondFactorDialog = lazy(async () => ({
  default: (await import('./account/second-factor.tsx')).SecondFactorDialog,
}))
const SessionScreen = lazy(async () => ({ default: (await import('./screens/session.tsx')).SessionScreen }))
const UsageScreen = lazy(async () => ({ default: (await import('./usage/screen.tsx')).UsageScreen }))
const TokensScreen = lazy(async () => ({ default: (await import('./screens/tokens.tsx')).TokensScreen }))

const SECTIONS: readonly { path: string; title: string; glyph: GlyphName; needs?: string }[] = [
  { path: '', title: 'Overview', glyph: 'overview' },
  { path: 'meetings', title: 'Meetings', glyph: 'meetings' },
  { path: 'sessions', title: 'Sessions', glyph: 'sessions' },
  { path: 'outputs', title: 'Outputs', glyph: 'outputs' },
  { path: 'usage', title: 'Usage', glyph: 'usage' },
  { path: 'keys', title: 'Keys', glyph: 'keys' },
  { path: 'webhooks', title: 'Webhooks', glyph: 'webhooks' },
  { path: 'tokens', title: 'Tokens', glyph: 'tokens' },
  { path: 'console', title: 'Console', glyph: 'console' },
  { path: 'operators', title: 'Operators', glyph: 'operators' },
  { path: 'audit', title: 'Audit', glyph: 'audit', needs: 'GET /v2/admin/audit' },
  { path: 'settings', title: 'Settings', glyph: 'settings' },
]

export function Frame({
  api,
  self,
  onSignOut,
}: {
  api: Api
  self: Self | null
  onSignOut: () => Promise<void>
}) {
  const { place } = useRouter()
  const query = useQuery(
    async () => (await api.admin<ProjectList>('GET', '/v2/admin/projects')).data,
    'projects',
  )
  const section = SECTIONS.find(({ path }) => path === (place.path[0] ?? ''))
  useEffect(() => {
    const id = place.path[1]
    document.title = `${[id && isolated(id), section?.title ?? 'Nothing here'].filter(Boolean).join(' · ')} · Anteroom`
    // On a phone the sections are one row that scrolls.
    document
      .querySelector('.side nav [aria-current]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [place.path, section])

  const projects = query.value ?? []
  const project = projects.find(({ projectId }) => projectId === place.query.project) ?? projects[0]
  return (
    <div className="frame">
      <a
        className="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById('content')?.focus()
        }}
      >
        Skip to content
      </a>
      <header className="side">
        <Link className="brand" path={[]}>
          <img className="mark" src={new URL('../mark.svg', import.meta.url).href} alt="" />
          <span>Anteroom</span>
        </Link>
        <ProjectSwitch projects={projects} project={project} />
        <nav aria-label="Dashboard">
          {SECTIONS.filter(({ needs }) => needs === undefined || mayCall(self, needs)).map(
            ({ path, title, glyph }) => (
              <Link key={path} path={path === '' ? [] : [path]} current={section?.path === path}>
                <Glyph name={glyph} />
                {title}
              </Link>
            ),
          )}
        </nav>
        <Account api={api} self={self} onSignOut={onSignOut} />
      </header>
      <main id="content" tabIndex={-1}>
        <Shown query={query}>
          {() =>
            project ? (
              <ProjectContext value={{ api, self, project, projects, refresh: query.reload }}>
                <Boundary key={`${project.projectId}/${place.path.join('/')}`}>
                  <Suspense fallback={<Skeleton />}>
                    <Screen path={place.path} />
                  </Suspense>
                </Boundary>
              </ProjectContext>
            ) : (
              <Problem text="There is no project on this server." retry={query.reload} />
            )
          }
        </Shown>
      </main>
    </div>
  )
}

function Screen({ path: [section, id, ...rest] }: { path: readonly string[] }) {
  if (rest.length > 0) return <NothingHere />
  if (id !== undefined) {
    if (section === 'meetings') return <MeetingScreen meetingId={id} />
    if (section === 'sessions') return <SessionScreen sessionId={id} />
    if (section === 'webhooks') return <DeliveryScreen deliveryId={id} />
    return <NothingHere />
  }
  switch (section) {
    case undefined:
      return <OverviewScreen />
    case 'meetings':
      return <MeetingsScreen />
    case 'sessions':
      return <SessionsScreen />
    case 'outputs':
      return <OutputsScreen />
    case 'usage':
      return <UsageScreen />
    case 'keys':
      return <KeysScreen />
    case 'webhooks':
      return <WebhooksScreen />
    case 'tokens':
      return <TokensScreen />
    case 'console':
      return <ConsoleScreen />
    case 'operators':
      return <OperatorsScreen />
    case 'audit':
      return <AuditScreen />
    case 'settings':
      return <SettingsScreen />
    default:
      return <NothingHere />
  }
}

function NothingHere() {
  return (
    <>
      <h1>Nothing here</h1>
      <p>
        This address leads nowhere. <Link path={[]}>Go to the overview</Link>
      </p>
    </>
  )
}

function ProjectSwitch({
  projects,
  project,
}: {
  projects: readonly Project[]
  project: Project | undefined
}) {
  const { go, place } = useRouter()
  return (
    <label className="project">
      <span className="visually-hidden">Project</span>
      <select
        value={project?.projectId ?? ''}
        disabled={projects.length < 2}
        // Keeps only the section, because what was open belongs to the other project.
        onChange={(event) => go(place.path.slice(0, 1), { project: event.target.value })}
      >
        {projects.map(({ projectId, name }) => (
          <option key={projectId} value={projectId} dir="auto">
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

function Account({ api, self, onSignOut }: { api: Api; self: Self | null; onSignOut: () => Promise<void> }) {
  const [changing, setChanging] = useState<'password' | 'second-factor'>()
  const say = useNotice()
  return (
    <div className="account">
      {self && (
        <p className="quiet who">
          <Foreign text={self.name} /> · {self.role}
        </p>
      )}
      {self?.external !== true && (
        <button className="plain" onClick={() => setChanging('password')}>
          <Glyph name="keys" />
          Password
        </button>
      )}
      {self && !self.external && (
        <button className="plain" onClick={() => setChanging('second-factor')}>
          <Glyph name="tokens" />
          Second factor
        </button>
      )}
      <button
        className="plain"
        onClick={() => void onSignOut().catch(() => say('You could not be signed out; try again.'))}
      >
        <Glyph name="out" />
        Sign out
      </button>
      {changing === 'second-factor' && (
        <Suspense>
          <SecondFactorDialog api={api} onClose={() => setChanging(undefined)} />
        </Suspense>
      )}
      {changing === 'password' && (
        <Dialog title="Change the password" onClose={() => setChanging(undefined)}>
          <ChoosePassword
            action="Change"
            name={self?.name}
            askCurrent
            save={(given) => api.admin('POST', '/v2/admin/password', given)}
            onDone={() => {
              setChanging(undefined)
              say('The password is changed.')
            }}
          />
        </Dialog>
      )}
    </div>
  )
}
