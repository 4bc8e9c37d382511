/**
 * Measures the size of a page's screens on the wire: its HTML, the files that it names, and those that its scripts
 * load.
 */
import { get, type IncomingHttpHeaders } from 'node:http'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  /** The bytes on the wire, still encoded. */
  bytes: Buffer
}

/** Sends only these headers, and decodes nothing. */
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
  /** The paths of all files, the page first. */
  paths: string[]
  scripts: string
  raw: number
  gzip: number
  br: number
}

const STATIC_IMPORT = /(?:\bfrom|\bimport)\s*(["'`])\.\/([\w-]+\.js)\1/g
const LATER_IMPORT = /\bimport\(\s*(["'`])\.\/([\w-]+\.js)\1/g
/** Vite names the styles of a part beside its script. */
const LATER_STYLE = /(["'`])(?:\.\/|\/?assets\/)([\w-]+\.css)\1/g
const PICTURE = /(["'`])(?:\/assets\/)?([\w-]+\.svg)\1/g

/**
 * Measures what a browser loads for a screen. `later`: also the parts that a script loads on demand (`import()`), by
 * the beginning of their names.
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
    const wanted = [...script.matchAll(LATER_IMPORT), ...script.matchAll(LATER_STYLE)].filter(([, , name]) =>
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

/** The first screen of each page. */
export const firstScreens: Record<string, { path: string; later: string[] }> = {
  'start page': { path: '/', later: [] },
  'before joining': { path: '/m/aaaa-bbbb-cccc', later: [] },
  'in a meeting': { path: '/m/aaaa-bbbb-cccc', later: ['inside'] },
  dashboard: { path: '/dashboard', later: [] },
}
