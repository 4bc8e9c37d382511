/** The addresses on which media listens and that clients get, and whether the server tries them. */
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { StartError } from '../errors.ts'
import { locateWorker } from '../../scripts/media-worker/locate.mjs'
import { freePorts } from '../../test/support/ports.ts'
import { mediaAddresses, type Machine } from './addresses.ts'
import { createSfu } from './create.ts'
import { MediaUnreachable } from './start-errors.ts'
import { WorkerPool } from './mediasoup/pool.ts'

const machine: Machine = {
  own: [
    { address: '127.0.0.1', internal: true },
    { address: '::1', internal: true },
    { address: '169.254.3.4', internal: false },
    { address: 'fe80::1', internal: false },
    { address: '192.0.2.2', internal: false },
    { address: 'fd00::2', internal: false },
    { address: '2001:db8::2', internal: false },
  ],
  resolve: (name) => {
    const names: Record<string, string[]> = {
      'meet.example': ['198.51.100.7', '192.0.2.2'],
      'both.example': ['2001:db8::9', '198.51.100.7'],
      'here.example': ['127.0.1.1'],
      'none.example': [],
    }
    return names[name] ? Promise.resolve(names[name]) : Promise.reject(new Error('ENOTFOUND'))
  },
}

const plans: [
  host: string,
  announced: string | readonly string[] | undefined,
  plan: [ip: string, announced: string, isOwn: boolean][],
][] = [
  ['127.0.0.1', undefined, [['127.0.0.1', '127.0.0.1', true]]],
  ['localhost', undefined, [['127.0.0.1', '127.0.0.1', true]]],
  [
    '::1',
    undefined,
    [
      ['127.0.0.1', '127.0.0.1', true],
      ['::1', '::1', true],
    ],
  ],
  ['127.0.0.1', '::1', [['::1', '::1', true]]],
  // A forwarder on this machine leads to the media port.
  ['127.0.0.1', '127.0.0.2', [['127.0.0.1', '127.0.0.2', false]]],
  ['0.0.0.0', undefined, [['0.0.0.0', '192.0.2.2', true]]],
  [
    '::',
    undefined,
    [
      ['0.0.0.0', '192.0.2.2', true],
      ['::', '2001:db8::2', true],
    ],
  ],
  ['192.0.2.2', undefined, [['192.0.2.2', '192.0.2.2', true]]],
  ['0.0.0.0', '198.51.100.7', [['0.0.0.0', '198.51.100.7', false]]],
  ['127.0.0.1', '198.51.100.7', [['0.0.0.0', '198.51.100.7', false]]],
  ['192.0.2.2', '198.51.100.7', [['192.0.2.2', '198.51.100.7', false]]],
  // An announced address gets a listener, whatever HOST stands for.
  ['::', 'fd00::2', [['::', 'fd00::2', true]]],
  ['0.0.0.0', 'fd00::2', [['::', 'fd00::2', true]]],
  ['127.0.0.1', 'fd00::2', [['::', 'fd00::2', true]]],
  ['::', '192.0.2.2', [['0.0.0.0', '192.0.2.2', true]]],
  // Of several addresses of one family, uses the one of this machine.
  ['0.0.0.0', 'meet.example', [['0.0.0.0', '192.0.2.2', true]]],
  [
    '::',
    'both.example',
    [
      ['0.0.0.0', '198.51.100.7', false],
      ['::', '2001:db8::9', false],
    ],
  ],
  ['192.0.2.2', 'both.example', [['192.0.2.2', '198.51.100.7', false]]],
  // Several: one of each family, or those of this machine, and one that is forwarded to the first of these.
  [
    '0.0.0.0',
    ['2001:db8::2', '198.51.100.7'],
    [
      ['0.0.0.0', '198.51.100.7', false],
      ['::', '2001:db8::2', true],
    ],
  ],
  [
    '0.0.0.0',
    ['198.51.100.7', '192.0.2.2'],
    [
      ['192.0.2.2', '198.51.100.7', false],
      ['192.0.2.2', '192.0.2.2', true],
    ],
  ],
  [
    '::',
    ['fd00::2', '2001:db8::2'],
    [
      ['fd00::2', 'fd00::2', true],
      ['2001:db8::2', '2001:db8::2', true],
    ],
  ],
  [
    '192.0.2.2',
    ['198.51.100.7', '192.0.2.2'],
    [
      ['192.0.2.2', '198.51.100.7', false],
      ['192.0.2.2', '192.0.2.2', true],
    ],
  ],
]

const listOf = (announced: string | readonly string[] | undefined): readonly string[] | undefined =>
  announced === undefined ? undefined : [announced].flat()

test('with DOMAIN announces the public address of the name, unless the machine has one', async () => {
  const behindNat: Machine = {
    own: [
      { address: '10.0.0.5', internal: false },
      { address: 'fe80::1', internal: false },
    ],
    resolve: machine.resolve,
  }
  for (const [name, host, own, expected] of [
    ['both.example', '0.0.0.0', behindNat, ['10.0.0.5 198.51.100.7', '10.0.0.5 10.0.0.5']],
    ['both.example', '::', behindNat, ['10.0.0.5 198.51.100.7', '10.0.0.5 10.0.0.5', ':: 2001:db8::9']],
    ['nowhere.example', '0.0.0.0', behindNat, ['0.0.0.0 10.0.0.5']],
    ['here.example', '0.0.0.0', behindNat, ['0.0.0.0 10.0.0.5']],
    ['both.example', '::', machine, ['0.0.0.0 192.0.2.2', ':: 2001:db8::2']],
    ['both.example', '10.0.0.5', behindNat, ['10.0.0.5 10.0.0.5']],
  ] as const) {
    const found = await mediaAddresses(host, undefined, own, name)
    assert.deepEqual(
      found.map(({ ip, announced }) => `${ip} ${announced}`),
      expected,
      `${name} HOST=${host}`,
    )
  }
})

test('without IPv4, loopback is ::1', async () => {
  const ipv6Only: Machine = {
    own: machine.own.filter(({ address }) => address.includes(':')),
    resolve: machine.resolve,
  }
  for (const [host, expected] of [
    ['localhost', ['::1 ::1']],
    ['::1', ['::1 ::1']],
    ['::', [':: 2001:db8::2']],
  ] as const) {
    const found = await mediaAddresses(host, undefined, ipv6Only)
    assert.deepEqual(
      found.map(({ ip, announced }) => `${ip} ${announced}`),
      expected,
      `HOST=${host}`,
    )
  }
  const alone: Machine = { own: [{ address: '::1', internal: true }], resolve: machine.resolve }
  const [only] = await mediaAddresses('::', undefined, alone)
  assert.equal(only?.announced, '::1')
})

test('listens on each announced address', async () => {
  for (const [host, announced, plan] of plans) {
    const found = await mediaAddresses(host, listOf(announced), machine)
    assert.deepEqual(
      found.map((address) => [address.ip, address.announced, address.isOwn]),
      plan,
      `HOST=${host} ANNOUNCED_ADDRESS=${String(announced)}`,
    )
  }
  const alone = await mediaAddresses('0.0.0.0', undefined, { ...machine, own: machine.own.slice(0, 4) })
  assert.deepEqual(alone, [{ ip: '0.0.0.0', announced: '127.0.0.1', isOwn: true }])
})

test('refuses in one sentence an address that no client could reach', async () => {
  for (const [host, announced, sentence] of [
    ['meet.example', undefined, /^HOST is meet\.example/],
    ['0.0.0.0', '0.0.0.0', /^ANNOUNCED_ADDRESS is 0\.0\.0\.0, which stands for every address/],
    ['::', '::', /stands for every address/],
    ['0.0.0.0', '169.254.3.4', /link-local/],
    ['::', 'fe80::1', /link-local/],
    ['0.0.0.0', '224.0.0.1', /multicast/],
    ['0.0.0.0', '255.255.255.255', /assigned to nobody/],
    ['0.0.0.0', 'here.example', /^ANNOUNCED_ADDRESS names here\.example, which is 127\.0\.1\.1 here/],
    ['0.0.0.0', 'nowhere.example', /names nowhere\.example, which does not resolve/],
    ['0.0.0.0', 'none.example', /does not resolve/],
    [
      '0.0.0.0',
      ['198.51.100.7', '198.51.100.8'],
      /198\.51\.100\.7 and 198\.51\.100\.8, none of which .*: leave one\./,
    ],
    ['fd00::2', ['fd00::2', '2001:db8::2'], /2001:db8::2, at which nothing listens, because HOST is fd00::2/],
    ['192.0.2.2', 'fd00::2', /is an IPv6 address and HOST, where media listens, an IPv4 one/],
  ] as const) {
    await assert.rejects(mediaAddresses(host, listOf(announced), machine), (error: Error) => {
      assert.ok(error instanceof StartError)
      assert.match(error.message, sentence)
      return true
    })
  }
})

const workerBin = locateWorker()?.bin
const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

test(
  'with HOST=:: and an announced IPv6 address, media answers there over UDP and TCP',
  { skip: !workerBin || !hasIpv6 },
  async () => {
    const firstPort = await freePorts(2)
    const sfu = await createSfu({
      workerBin,
      workers: 2,
      firstPort,
      listenAddress: '::',
      announcedAddresses: ['::1'],
    })
    try {
      // `tried` is true only when the workers have answered at every announced address.
      assert.deepEqual(sfu.status, {
        available: true,
        ports: [firstPort, firstPort + 1],
        workers: 2,
        tried: true,
      })
      const router = await sfu.openRouter()
      const { iceCandidates } = await router.createTransport({ direction: 'send' })
      assert.deepEqual([...new Set(iceCandidates.map(({ address, ip }) => address ?? ip))], ['::1'])
    } finally {
      await sfu.close()
    }
  },
)

test(
  'does not announce an address of this machine at which no worker answers',
  { skip: !workerBin },
  async () => {
    const firstPort = await freePorts(1)
    const start = WorkerPool.start({
      workerBin: workerBin!,
      workers: 1,
      firstPort,
      addresses: [{ ip: '127.0.0.2', announced: '127.0.0.3', isOwn: true }],
    })
    await assert.rejects(start, (error: Error) => {
      assert.ok(error instanceof MediaUnreachable)
      assert.match(
        error.message,
        /announced at 127\.0\.0\.3 port \d+ and does not answer there over UDP and TCP; set ANNOUNCED_ADDRESS/,
      )
      return true
    })
  },
)

test(
  'announces an address that is not of this machine, and says that it could not be checked',
  { skip: !workerBin },
  async () => {
    const said: string[] = []
    const say = (_: object, message: string): void => void said.push(message)
    const sfu = await createSfu({
      workerBin,
      workers: 1,
      firstPort: await freePorts(1),
      listenAddress: '127.0.0.1',
      announcedAddresses: ['203.0.113.10'],
      log: { error: say, warn: say, info: say },
    })
    try {
      assert.equal(sfu.status.available && sfu.status.tried, false)
      assert.match(said.join(), /skipped the check of the announced media address/)
    } finally {
      await sfu.close()
    }
  },
)
