/** The size of the first screen of each page on the wire: uncompressed, with gzip, and with Brotli. */
import { firstScreens, weigh } from '../test/support/page-weight.ts'
import { TestServer } from '../test/support/test-server.ts'
import { printTable } from './table.ts'

const server = await TestServer.start()
const rows: string[][] = []
for (const [name, { path, later }] of Object.entries(firstScreens)) {
  const { paths, raw, gzip, br } = await weigh(server.url, path, later)
  rows.push([name, ...[paths.length, raw, gzip, br].map((count) => count.toLocaleString('en'))])
}
await server.stop()
printTable(['first screen', 'requests', 'bytes', 'gzip', 'br'], rows)
console.log('Bodies alone; without a cache. "In a meeting" holds what loads while people look at themselves.')
