// Test files that run a second time, with every server in another environment.
export const variants = {
  /** Each meeting is spread over three media workers. */
  spread: {
    env: { TEST_SPREAD: 'true' },
    files: [
      'src/media/wide.test.ts',
      'src/meeting/live-meeting.test.ts',
      'test/entry.test.ts',
      'test/offers.test.ts',
      'test/own-client.test.ts',
      'test/received-media.test.ts',
      'test/records.test.ts',
      'test/removals.test.ts',
      'test/wire-return.test.ts',
      'test/wire-table.test.ts',
      'test/wire.test.ts',
    ],
  },
  /** Each server has a database in PostgreSQL, with fewer kills of a server that sends webhooks than over SQLite. */
  postgres: {
    env: { TEST_STORE: 'postgres', TEST_KILLS: '5' },
    files: [
      'src/api/chat/sockets.test.ts',
      'src/api/rest/admin/keys.test.ts',
      'src/api/rest/admin/oidc.test.ts',
      'src/api/rest/admin/operators.test.ts',
      'src/api/rest/admin/people.test.ts',
      'src/api/rest/admin/second-factor.test.ts',
      'src/api/rest/invites.test.ts',
      'src/api/rest/rest.test.ts',
      'test/attack/audit.test.ts',
      'test/attack/guesses.test.ts',
      'test/attack/kills.test.ts',
      'test/attack/races.test.ts',
      'test/breakouts.test.ts',
      'test/entry.test.ts',
      'test/records.test.ts',
      'test/removals.test.ts',
      'test/server-sdk.test.ts',
      'test/usage.test.ts',
      'test/webhooks-killed.test.ts',
      'test/webhooks.test.ts',
      'test/wire-return.test.ts',
      'test/wire.test.ts',
    ],
  },
}
