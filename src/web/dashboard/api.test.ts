import assert from 'node:assert/strict'
import { test } from 'node:test'

Object.assign(globalThis, { location: new URL('http://localhost/dashboard') })
const { ServerClientError } = await import('../api.ts')
const { createApi } = await import('./api.ts')

/** A server that gives numbered tokens; `refuse` says which calls inside a project it refuses. */
function aServer({ refuse = () => 0 }: { refuse?: (token: string) => number } = {}) {
  const seen: string[] = []
  let given = 0
  let at = 0
  let signedOut = 0
  const call = async (_method: string, path: string, { token }: { token?: string } = {}): Promise<any> => {
    seen.push(token === undefined ? path : `${path} by ${token}`)
    if (path.endsWith('/token')) return { token: `t${++given}` }
    const status = token === undefined ? 401 : refuse(token)
    if (status !== 0) throw new ServerClientError('UNAUTHORIZED', 'No.', { status })
    return 'yes'
  }
  const api = createApi({ call: call as never, now: () => at, onSignedOut: () => signedOut++ })
  const ask = (projectId = 'p') => api.inProject(projectId, 'GET', '/x')
  return { api, ask, seen, later: (ms: number) => (at += ms), signedOut: () => signedOut }
}

test('one token serves many calls, each project has its own, and it is renewed before it expires', async () => {
  const { ask, seen, later } = aServer()
  await Promise.all([ask(), ask()])
  later(54 * 60_000)
  await ask()
  later(2 * 60_000)
  await ask()
  await ask('q')
  const uses = seen.filter((line) => line.startsWith('/x'))
  assert.deepEqual(
    uses.map((line) => line.slice(-2)),
    ['t1', 't1', 't1', 't2', 't3'],
  )
})

test('a refused token is exchanged once, and a second refusal is reported', async () => {
  const once = aServer({ refuse: (token) => (token === 't1' ? 401 : 0) })
  assert.equal(await once.ask(), 'yes')
  const always = aServer({ refuse: () => 401 })
  await assert.rejects(always.ask(), { status: 401 })
  assert.equal(always.seen.filter((line) => line.startsWith('/x')).length, 2)
  const forbidden = aServer({ refuse: () => 403 })
  await assert.rejects(forbidden.ask(), { status: 403 })
  assert.equal(forbidden.seen.filter((line) => line.startsWith('/x')).length, 1)
  assert.equal(always.signedOut() + forbidden.signedOut(), 0, 'a refused token signs nobody out')
})

test('requests text answers in the same way', async () => {
  const { api, seen } = aServer({ refuse: (token) => (token === 't1' ? 401 : 0) })
  assert.equal(await api.textInProject('p', '/x'), 'yes')
  assert.deepEqual(seen.slice(-1), ['/x by t2'])
})

test('notifies the listener when the server no longer knows the sign-in', async () => {
  const { api, signedOut } = aServer()
  await assert.rejects(api.admin('GET', '/v2/admin/status'), { status: 401 })
  assert.equal(signedOut(), 1)
})
