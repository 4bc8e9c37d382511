/**
 * What an app can expect, depending on the version of its SDK. The differences between the
 * generations on the wire are in `protocol/clients.ts`.
 */

export interface Generation {
  /** The first version of js-sdk in this generation, and of the react-sdk that contains it. */
  from: string
  reactFrom: string | undefined
  name: string
  works: boolean
  expect: string
}

/** Newest first. */
const generations: readonly Generation[] = [
  {
    from: '1.0.0',
    reactFrom: '1.0.0',
    name: '1.x',
    works: true,
    expect: 'Everything that docs/wire.md lists; every refusal reaches the app with its code.',
  },
  {
    from: '0.11.0',
    reactFrom: '0.13.0',
    name: '0.11',
    works: true,
    expect: 'As 1.x. Chat goes over the signalling socket.',
  },
  {
    from: '0.2.7',
    reactFrom: '0.3.0',
    name: '0.2 to 0.10',
    works: true,
    expect:
      'Joins, media, chat, lobby and moderation. A refused join shows as the state FAILED (from 0.2.12 on) or as an error; refused moderation as an error.',
  },
  {
    from: '0.0.71',
    reactFrom: '0.1.76',
    name: '0.0.71 to 0.1.6',
    works: true,
    expect:
      'Joins, media, chat, lobby and moderation, over the older protocol protoo. Modes are called CONFERENCE and VIEWER before 0.1.4. 0.0.71 needs its camera as a track from the app.',
  },
  {
    from: '0.0.0',
    reactFrom: '0.0.0',
    name: 'before 0.0.71',
    works: false,
    expect:
      'Cannot be moved: the host is fixed in the SDK. Update to 0.0.71 or later; the calls are the same.',
  },
]

/** The generation of a version, or of the lowest version of a range like `^0.2.0`; undefined if there is none. */
export function generationOf(sdk: 'js-sdk' | 'react-sdk', version: string): Generation | undefined {
  const found = /\d+\.\d+\.\d+/.exec(version)?.[0]
  if (found === undefined) return undefined
  return generations.find(({ from, reactFrom }) => {
    const first = sdk === 'js-sdk' ? from : reactFrom
    return first !== undefined && !isBefore(found, first)
  })
}

function isBefore(version: string, other: string): boolean {
  const [a, b] = [version, other].map((text) => text.split('.').map(Number)) as [number[], number[]]
  for (const [at, number] of a.entries()) if (number !== b[at]) return number < b[at]!
  return false
}
