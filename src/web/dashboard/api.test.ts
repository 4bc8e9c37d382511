import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallOptions } from '../api.ts'

Object.assign(globalThis, { location: new URL('http://localhost/dashboard') })
const { ServerClientError } = await import('../api.ts')
const { createApi } = await import('./api.ts')

/** A server that refuses with this status; 0: it answers. */
function aServer(status = 0) {
  const seen: [string, string, CallOptions][] = []
  let signedOut = 0
  const call = async (method: string, path: string, options: CallOptions): Promise<any> => {
    seen.push([method, path, options])
    if (status !== 0) throw new ServerClientError('UNAUTHORIZED', 'No.', { status })
    return 'yes'
  }
  return {
    api: createApi({ call: call as never, onSignedOut: () => signedOut++ }),
    seen,
    signedOut: () => signedOut,
  }
}

test('a call inside a project names it, and shows no token', async () => {
  const { api, seen } = aServer()
  await api.inProject('p', 'DELETE', '/x')
  await api.inProject('q', 'POST', '/y', { a: 1 })
  assert.equal(await api.textInProject('p', '/z'), 'yes')
  const headers = (projectId: string) => ({
    'x-requested-with': 'dashboard',
    'x-anteroom-project': projectId,
  })
  assert.deepEqual(seen, [
    ['DELETE', '/x', { headers: headers('p') }],
    ['POST', '/y', { headers: headers('q'), body: { a: 1 } }],
    ['GET', '/z', { headers: headers('p'), text: true }],
  ])
})

test('notifies the listener when the server no longer knows the sign-in, and only then', async () => {
  const unknown = aServer(401)
  await assert.rejects(unknown.api.admin('GET', '/v2/admin/status'), { status: 401 })
  await assert.rejects(unknown.api.inProject('p', 'GET', '/x'), { status: 401 })
  assert.equal(unknown.signedOut(), 2)
  const forbidden = aServer(403)
  await assert.rejects(forbidden.api.inProject('p', 'POST', '/x', {}), { status: 403 })
  assert.equal(forbidden.signedOut(), 0)
})
