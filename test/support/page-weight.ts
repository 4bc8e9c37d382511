/** What a page's screens weigh on the wire: its html, what that names, and what the scripts then load. */
import { get, type IncomingHttpHeaders } from 'node:http'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  /** As it came over the wire, still coded. */
  bytes: Buffer
}

/** Nothing is decoded, and nothing but these headers is sent. */
export async function fetchRaw(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { headers, method }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          bytes: Buffer.concat(parts),
        }),
      )
    }).on('error', reject)
  })
}

export interface Screen {
  /** Paths of all that it loads, the page first. */
  paths: string[]
  scripts: string
  raw: number
  gzip: number
  br: number
}

const STATIC_IMPORT = /(?:\bfrom|\bimport)\s*(["'`])\.\/([\w-]+\.js)\1/g
const LATER_IMPORT = /\bimport\(\s*(["'`])\.\/([\w-]+\.js)\1/g
const PICTURE = /(["'`])(?:\/assets\/)?([\w-]+\.svg)\1/g

/**
 * Weighs what a browser loads for a screen: with `later`, also those parts that a script loads when it wants them
 * (`import()`), whose name begins so.
 */
export async function weigh(server: string, path: string, later: string[] = []): Promise<Screen> {
  const html = (await fetchRaw(server + path, { accept: 'text/html' })).bytes.toString()
  const paths = [path]
  let scripts = ''
  const named = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, asset]) => asset!)
  for (let next = named.shift(); next !== undefined; next = named.shift()) {
    if (paths.includes(next)) continue
    paths.push(next)
    if (!next.endsWith('.js')) continue
    const script = (await fetchRaw(server + next)).bytes.toString()
    scripts += script
    const wanted = [...script.matchAll(LATER_IMPORT)].filter(([, , name]) =>
      later.some((start) => name!.startsWith(`${start}-`)),
    )
    for (const [, , name] of [...script.matchAll(STATIC_IMPORT), ...script.matchAll(PICTURE), ...wanted])
      named.push(`/assets/${name}`)
  }
  const sum = async (coding: string): Promise<number> => {
    const answers = await Promise.all(
      paths.map((one) => fetchRaw(server + one, { accept: 'text/html', 'accept-encoding': coding })),
    )
    return answers.reduce((total, { bytes }) => total + bytes.length, 0)
  }
  return { paths, scripts, raw: await sum('identity'), gzip: await sum('gzip'), br: await sum('br') }
}

/** The screens that people see first, by where they come from. */
export const firstScreens: Record<string, { path: string; later: string[] }> = {
  'start page': { path: '/', later: [] },
  'before joining': { path: '/m/aaaa-bbbb-cccc', later: [] },
  'in a meeting': { path: '/m/aaaa-bbbb-cccc', later: ['inside'] },
  dashboard: { path: '/dashboard', later: [] },
}
