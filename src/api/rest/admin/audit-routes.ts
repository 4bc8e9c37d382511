/** Who did what: the audit log, to be read and exported. */
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { Routes } from '../../context.ts'
import { AuditExportQuery, AuditPage, AuditQuery } from '../../../protocol/rest/audit.ts'
import { pageInfoOf } from '../../../protocol/rest.ts'
import { auditAsText } from '../audit-log.ts'
import { describe } from '../describe.ts'

const tag = 'Operators'

export const auditRoutes: Routes = (app, { store }) => {
  app.get(
    '/v2/admin/audit',
    describe({
      summary: 'Get a page of the audit log, newest first',
      description:
        'Who changed what on this server, and who failed to sign in. Entries are never changed, and are deleted after `AUDIT_RETENTION_DAYS` only.',
      tag,
      access: 'admin',
      role: 'owner',
      query: AuditQuery,
      answer: AuditPage,
    }),
    async (request) => {
      const { page, perPage, ...filter } = request.query
      const { items, total } = await store.audit.list({ page, perPage }, filter)
      return { pageInfo: pageInfoOf(page, perPage, total), data: items }
    },
  )

  app.get(
    '/v2/admin/audit/export',
    describe({
      summary: 'Get the audit log as a file, oldest first',
      description: 'As CSV for spreadsheets, or with `format=jsonl` as one JSON object a line.',
      tag,
      access: 'admin',
      role: 'owner',
      query: AuditExportQuery,
      answer: Type.String(),
      answerType: 'text/csv',
    }),
    (request, reply) => {
      const { format, ...filter } = request.query
      const text = auditAsText(store.audit, filter, format)
      return reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl; charset=utf-8')
        .header('content-disposition', `attachment; filename="audit.${format}"`)
        .header('x-content-type-options', 'nosniff')
        .send(Readable.from(text, { objectMode: false }))
    },
  )
}
