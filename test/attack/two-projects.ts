/** A server with a second project, whose key must not reveal anything about the first. */
import type { Config } from '../../src/config/read.ts'
import { openStore } from '../../src/store/open.ts'
import { TestServer } from '../support/test-server.ts'

/** The key of the second project. */
export const OTHER = {
  apiKey: 'key-of-another-project',
  secret: 'the-secret-of-the-key-of-another-project',
}

export async function twoProjects(changes: Partial<Config> = {}): Promise<TestServer> {
  const server = await TestServer.start(changes)
  const store = await openStore({ folder: server.config.dataDir })
  const projectId = 'f'.repeat(24)
  await store.projects.create({ projectId, name: 'another', createdAt: Date.now(), webhook: null })
  await store.keys.create({
    ...OTHER,
    projectId,
    name: 'another',
    createdAt: Date.now(),
    revokedAt: null,
    lastUsedAt: null,
    origins: null,
  })
  await store.close()
  await server.restart()
  return server
}
