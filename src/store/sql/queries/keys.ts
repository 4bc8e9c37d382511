import type { Selectable } from 'kysely'
import { StartError } from '../../../errors.ts'
import { recordChange } from '../changes.ts'
import type { SqlContext } from '../sql-context.ts'
import type { Schema } from '../schema.ts'
import type { ApiKeyRecord, ProjectRecord, Store, WebhookSettings } from '../../store.ts'
import { SealBroken } from '../../secrets/seal.ts'

export function projectQueries(context: SqlContext): Store['projects'] {
  const { db, write, dialect } = context
  return {
    create: async ({ projectId, name, webhook, createdAt }) => {
      const row = {
        project_id: projectId,
        name,
        webhook: webhook && JSON.stringify(webhook),
        created_at: createdAt,
      }
      await write({ lane: 'keys' }, async (tx) => {
        await tx.insertInto('projects').values(row).execute()
        await recordChange(tx, context)
      })
    },
    list: async () => {
      const rows = await db
        .selectFrom('projects')
        .selectAll()
        .orderBy('created_at')
        .orderBy('project_id')
        .execute()
      return rows.map(toProject)
    },
    change: (projectId, { name, webhook }) =>
      write({ lane: 'keys' }, async (tx) => {
        const there = await dialect
          .forUpdate(tx.selectFrom('projects').selectAll().where('project_id', '=', projectId))
          .executeTakeFirst()
        if (!there) return undefined
        const row = {
          name: name ?? there.name,
          webhook: webhook === undefined ? there.webhook : webhook && JSON.stringify(webhook),
        }
        await tx.updateTable('projects').set(row).where('project_id', '=', projectId).execute()
        await recordChange(tx, context)
        return toProject({ ...there, ...row })
      }),
  }
}

export function keyQueries(context: SqlContext): Store['keys'] {
  const { db, write, seal } = context
  function openSecret(sealed: string, apiKey: string): string {
    try {
      return seal.open(sealed, apiKey)
    } catch (cause) {
      if (!(cause instanceof SealBroken)) throw cause
      throw new StartError(`The stored secret of the API key ${apiKey} was changed: put back a backup.`, {
        cause,
      })
    }
  }

  return {
    create: async (key) => {
      const row = {
        api_key: key.apiKey,
        project_id: key.projectId,
        name: key.name,
        sealed_secret: seal.seal(key.secret, key.apiKey),
        created_at: key.createdAt,
        revoked_at: key.revokedAt,
        last_used_at: key.lastUsedAt,
        origins: key.origins && JSON.stringify(key.origins),
      }
      await write({ lane: 'keys' }, async (tx) => {
        await tx.insertInto('api_keys').values(row).execute()
        await recordChange(tx, context)
      })
    },
    list: async () => {
      const rows = await db
        .selectFrom('api_keys')
        .selectAll()
        .orderBy('created_at')
        .orderBy('api_key')
        .execute()
      return rows.map((row): ApiKeyRecord => ({
        apiKey: row.api_key,
        projectId: row.project_id,
        name: row.name,
        secret: openSecret(row.sealed_secret, row.api_key),
        createdAt: row.created_at,
        revokedAt: row.revoked_at,
        lastUsedAt: row.last_used_at,
        origins: row.origins === null ? null : (JSON.parse(row.origins) as string[]),
      }))
    },
    revoke: (apiKey, at) =>
      write({ lane: 'keys' }, async (tx) => {
        const there = await tx
          .selectFrom('api_keys')
          .select('api_key')
          .where('api_key', '=', apiKey)
          .executeTakeFirst()
        if (!there) return false
        await tx
          .updateTable('api_keys')
          .set({ revoked_at: at })
          .where('api_key', '=', apiKey)
          .where((where) => where.or([where('revoked_at', 'is', null), where('revoked_at', '>', at)]))
          .execute()
        await recordChange(tx, context)
        return true
      }),
    setSecret: async (apiKey, secret) => {
      const sealed_secret = seal.seal(secret, apiKey)
      await write({ lane: 'keys' }, async (tx) => {
        await tx.updateTable('api_keys').set({ sealed_secret }).where('api_key', '=', apiKey).execute()
        await recordChange(tx, context)
      })
    },
    change: async (apiKey, { name, origins }) => {
      const row = {
        ...(name !== undefined && { name }),
        ...(origins !== undefined && { origins: origins && JSON.stringify(origins) }),
      }
      const { numUpdatedRows } = await write({ lane: 'keys' }, async (tx) => {
        const result = await tx
          .updateTable('api_keys')
          .set((set) => ({ api_key: set.ref('api_key'), ...row }))
          .where('api_key', '=', apiKey)
          .executeTakeFirst()
        await recordChange(tx, context)
        return result
      })
      return numUpdatedRows > 0n
    },
    used: async (uses) => {
      await write({ lane: 'keys' }, async (tx) => {
        for (const [apiKey, at] of uses) {
          await tx
            .updateTable('api_keys')
            .set({ last_used_at: at })
            .where('api_key', '=', apiKey)
            .where((where) => where.or([where('last_used_at', 'is', null), where('last_used_at', '<', at)]))
            .execute()
        }
      })
    },
  }
}

function toProject(row: Selectable<Schema['projects']>): ProjectRecord {
  return {
    projectId: row.project_id,
    name: row.name,
    webhook: row.webhook === null ? null : (JSON.parse(row.webhook) as WebhookSettings),
    createdAt: row.created_at,
  }
}
