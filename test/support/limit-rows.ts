/**
 * Every limit that a setting defines: what happens beyond it, and the test that proves it. Generates `docs/limits.md`.
 */
import { envExample } from '../../src/config/describe.ts'

export interface LimitRow {
  setting: string
  /**
   * The holder of the limit. Limits of a session or a meeting have shares, and a row in `test/attack/greedy.test.ts`.
   */
  of: 'server' | 'address' | 'key' | 'connection' | 'message' | 'participant' | 'session' | 'meeting'
  beyond: string
  /** The file and the title of a test. */
  shown: string
}

const FLOODS = 'test/attack/floods.test.ts: '
const DOOR = 'test/door.test.ts: '
const ENTRY = 'test/entry.test.ts: '
const CHAT = 'src/api/chat/sockets.test.ts: a sender over a limit is told so'
const FILES = 'test/files.test.ts: limits the size of one file and of all files of a session'
const LIMITED = '429 `RATE_LIMITED` with `Retry-After`'

export const limitRows: LimitRow[] = [
  {
    setting: 'MAX_COMPOSITIONS',
    of: 'server',
    beyond: '4028, 4029 or 4030 before anything starts',
    shown: 'test/composer.test.ts: one composition too many is refused, and one that looks alike shares',
  },
  {
    setting: 'MAX_CHECKS',
    of: 'server',
    beyond:
      'close 1013 with a sentence. One address has one at a time and six in a minute, each of 45 s and 6 MB',
    shown: 'test/check.test.ts: checks are few, short, and end where one moves more than a check does',
  },
  {
    setting: 'MAX_WHEP_VIEWERS',
    of: 'server',
    beyond:
      '503 `MEDIA_UNAVAILABLE` with `Retry-After`; 429 `RATE_LIMITED` for a token that has half of them',
    shown: 'test/whip.test.ts: viewers are limited in number, and sessions in rate',
  },
  {
    setting: 'MAX_JOBS',
    of: 'server',
    beyond: 'it waits, with status `pending`; 429 `RATE_LIMITED` when 100 of the project wait',
    shown: 'test/jobs.test.ts: one at a time, the next one waits, and a killed server begins again',
  },
  {
    setting: 'MAX_CONNECTIONS',
    of: 'server',
    beyond: `${LIMITED} at the first request; beyond 32 over the limit, connections are cut`,
    shown: `${FLOODS}connections are limited in total`,
  },
  {
    setting: 'MAX_CONNECTIONS_PER_ADDRESS',
    of: 'address',
    beyond: `${LIMITED} at the first request, or instead of a socket; beyond 32 over the limit, connections are cut`,
    shown: `${FLOODS}connections of one address over the limit get a reason`,
  },
  {
    setting: 'MAX_WAITING_PER_ADDRESS',
    of: 'address',
    beyond: '`error` 5000 `RATE_LIMITED`, then `close`; more than 32 over it get 429 in place of a socket',
    shown: `${FLOODS}half-open sockets count as waiting`,
  },
  {
    setting: 'HEADERS_TIMEOUT_SECONDS',
    of: 'connection',
    beyond: '408 `REQUEST_TIMEOUT`; a socket that joins no meeting meanwhile is closed',
    shown: `${FLOODS}slow headers and slow bodies end with 408`,
  },
  {
    setting: 'REQUEST_TIMEOUT_SECONDS',
    of: 'connection',
    beyond: '408 `REQUEST_TIMEOUT`',
    shown: `${FLOODS}slow headers and slow bodies end with 408`,
  },
  {
    setting: 'MAX_HTTP_REQUESTS_PER_SECOND',
    of: 'address',
    beyond: `${LIMITED}, then the connection closes; after as many refusals again, the address is cut without an answer. /health and /ping are counted separately`,
    shown: `${FLOODS}requests of one address are refused with the time to wait`,
  },
  {
    setting: 'MAX_KEY_REQUESTS_PER_SECOND',
    of: 'key',
    beyond: `${LIMITED}; only tokens with a valid signature count`,
    shown: `${FLOODS}requests are counted per API key from all addresses`,
  },
  {
    setting: 'MAX_FAILED_TOKENS_PER_MINUTE',
    of: 'address',
    beyond: `${LIMITED} instead of 401, 5000 on a socket; valid tokens still work, but API secrets and the admin key are not checked`,
    shown: `${FLOODS}init-config with bad tokens`,
  },
  {
    setting: 'MAX_BODY_BYTES',
    of: 'server',
    beyond: LIMITED,
    shown: `${FLOODS}large bodies are limited in total`,
  },
  {
    setting: 'MAX_BODY_BYTES_PER_ADDRESS',
    of: 'address',
    beyond: LIMITED,
    shown: `${FLOODS}a large body is read only with a token`,
  },
  {
    setting: 'MAX_ENTRY_REQUESTS_PER_MINUTE',
    of: 'address',
    beyond: '5000 `RATE_LIMITED`, then `close`; direct joins do not count',
    shown: `${FLOODS}entry requests of one address are refused with a reason`,
  },
  {
    setting: 'MAX_ENTRY_REQUESTS',
    of: 'session',
    beyond:
      '5000 `RATE_LIMITED`, then `close`; requests that already wait stay. One token may have half of them; requests to relay media have the same limit',
    shown: `${ENTRY}a token takes at most half of the lobby`,
  },
  {
    setting: 'LOBBY_TIMEOUT_SECONDS',
    of: 'connection',
    beyond: 'denied',
    shown: `${DOOR}lobby: denied, withdrawn, and denied when nobody answers`,
  },
  {
    setting: 'MAX_PARTICIPANTS',
    of: 'session',
    beyond: '4009 `MAX_PARTCIPANT_REACHED`',
    shown: `${DOOR}a full meeting refuses one more`,
  },
  {
    setting: 'JOIN_TIMEOUT_SECONDS',
    of: 'connection',
    beyond:
      '5000 `INVALID_STATE`, then `close`. Participants of one token who have not joined yet may take three quarters of the seats; beyond that 5000 `RATE_LIMITED`',
    shown: `${ENTRY}a seat that nobody joins with is visible`,
  },
  {
    setting: 'MAX_REQUESTS_PER_SECOND',
    of: 'connection',
    beyond:
      '5000 `RATE_LIMITED`, and the connection stays; closed after twenty times as many refusals at once',
    shown: `${FLOODS}a connection that never stops sending requests is closed`,
  },
  {
    setting: 'MAX_MEDIA_OPENINGS_PER_MINUTE',
    of: 'connection',
    beyond: '5000 `RATE_LIMITED`; open streams and transports stay',
    shown: `${FLOODS}produce and close: a connection that opens too many`,
  },
  {
    setting: 'MAX_PRODUCERS',
    of: 'participant',
    beyond: '4010 `MAX_SPEAKER_REACHED`',
    shown: `${DOOR}limits how many streams one participant sends`,
  },
  {
    setting: 'MAX_VIDEO_STREAMS',
    of: 'participant',
    beyond: 'with our client: the cameras beyond it are paused until their owners speak',
    shown: 'test/shown-video.test.ts: of more cameras than a client of ours may receive',
  },
  {
    setting: 'MAX_MESSAGE_BYTES',
    of: 'message',
    beyond: '5000 `PAYLOAD_TOO_LARGE`; four times as much ends the connection unread',
    shown: `${DOOR}a message that is too large is refused`,
  },
  {
    setting: 'MAX_INVITES',
    of: 'meeting',
    beyond: '429 `RATE_LIMITED`; invites that are revoked, expired or used up do not count',
    shown: 'src/api/rest/invites.test.ts: used-up invites make room for new ones',
  },
  {
    setting: 'MAX_STORE_KEYS',
    of: 'session',
    beyond: '4045 `STORE_SET_FAILED`',
    shown: 'test/wire.test.ts: realtime store: limits, deletion, and the end of observing',
  },
  {
    setting: 'MAX_CHAT_MESSAGES_PER_SECOND',
    of: 'participant',
    beyond: '`RATE_LIMITED` to each; closed with 1008 after twenty times as many refusals at once',
    shown: `${FLOODS}chat over the limit is refused`,
  },
  { setting: 'MAX_CHAT_MESSAGE_BYTES', of: 'message', beyond: '`PAYLOAD_TOO_LARGE`', shown: CHAT },
  {
    setting: 'MAX_CHAT_TOPICS',
    of: 'session',
    beyond: '`RATE_LIMITED`',
    shown: 'src/meeting/chat/chat.test.ts: a subscription takes a place among the topics',
  },
  { setting: 'MAX_CHAT_SUBSCRIPTIONS', of: 'participant', beyond: '`RATE_LIMITED`', shown: CHAT },
  {
    setting: 'MAX_SESSION_CHAT_BYTES',
    of: 'session',
    beyond: '`PAYLOAD_TOO_LARGE`; messages that are not kept still work',
    shown: 'src/meeting/chat/chat.test.ts: one participant fills only its share of the kept messages',
  },
  { setting: 'MAX_FILE_BYTES', of: 'message', beyond: '413 `PAYLOAD_TOO_LARGE`', shown: FILES },
  { setting: 'MAX_SESSION_FILE_BYTES', of: 'session', beyond: '413 `PAYLOAD_TOO_LARGE`', shown: FILES },
  {
    setting: 'MAX_FILE_UPLOADS_PER_MINUTE',
    of: 'participant',
    beyond: LIMITED,
    shown: `${FLOODS}file uploads are limited per participant and per session`,
  },
  {
    setting: 'MAX_SESSION_FILE_UPLOADS_PER_MINUTE',
    of: 'session',
    beyond: LIMITED,
    shown: `${FLOODS}file uploads are limited per participant and per session`,
  },
]

/** The name, help and default of every setting. */
export const settingsShown = [...envExample().matchAll(/^# (.*)\n# ([A-Z_]+)=(.*)$/gm)].map(
  ([, help, name, byDefault]) => ({ name: name!, help: help!, byDefault: byDefault! }),
)

export function limitsDocument(): string {
  const rows = limitRows.map(({ setting, beyond, shown }) => {
    const { help, byDefault } = settingsShown.find(({ name }) => name === setting)!
    return `| \`${setting}\` | ${byDefault} | ${help} | ${beyond} | ${shown} |`
  })
  return `# Limits

Generated by \`npm run limits-table\`, and checked by \`test/limits.test.ts\`. Each limit is a setting; \`.env.example\` lists all settings.

| setting | default | of what | beyond it | shown by |
|---|---|---|---|---|
${rows.join('\n')}

The defaults are for people behind one address as much as for one person: a school of 1000 stays under them. Four of them are paces at which
*others* come; a server that only this machine reaches (\`HOST\` on loopback, no \`PUBLIC_URL\`, no \`TRUSTED_PROXIES\`) has none, unless you
name one: whoever loads it is its owner. Behind a proxy set \`PUBLIC_URL\`, and they hold.

Of what the people in one session share (keys, topics, chat that is kept, files), and of the invites of one meeting, one participant may take a quarter, and all who came with one token
together a half, so that whatever one takes, something is left for the others. Over REST a token that is bound to nobody has the token's half.

What waits to be read by one client is bounded: on its meeting socket 4 MiB and 16 KiB for each of \`MAX_PARTICIPANTS\`, on its chat socket 1 MiB, and 4 MiB
with what it asked for, on its whiteboard 16 MiB. One that is further behind is cut off and may come back. A client before 1.0 gets a topic's history in one answer: the newest
1000 messages, or 512 KiB of them. When it comes back, it is told 1 MiB of what it missed.

Fixed, because they are about guesses and no load: exchanging invites, 2 a second and 30 at once from one address; signing in to the dashboard,
6 a minute and 10 at once from one address, 2 a second of all; a body of REST, 256 KiB; \`metaData\`, \`deviceInfo\` and \`appData\` of a stream, 4096 bytes of JSON each; a file over 256 KiB only with the token in
\`Authorization\`, where it is checked before the body is read. Of those counted in seconds, four times as many may come at once; of those
counted in minutes, a minute's worth.

## Whose address

The one that the connection comes from. An IPv6 address counts by its /64, an IPv4 address in IPv6 notation as IPv4. Headers change nothing,
unless the connection comes from one of \`TRUSTED_PROXIES\` (addresses and CIDR ranges): then it is the entry of \`TRUSTED_PROXY_HEADER\`
farthest to the right that is no trusted proxy itself. What stands left of it was written by the caller. Name every proxy on the way, and only
those; without it, all who come through a proxy are one address, and share its limits. The connections of a trusted proxy are not counted for
its own address; sockets through it are counted for those it speaks for.

    # nginx on this machine
    TRUSTED_PROXIES=127.0.0.1,::1
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;

    # a proxy that writes RFC 7239
    TRUSTED_PROXY_HEADER=forwarded

## What it does to others

\`npm run attack:floods\` sends each kind of flood at a server with these defaults, from one address and from many, while two people in another
meeting send sound over the real media workers, and prints the longest gap that they heard and the memory of the server.
`
}
