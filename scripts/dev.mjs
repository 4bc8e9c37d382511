// `npm run dev`: runs the server and Vite together. A change in src/ restarts the server if the server loads the file;
// a change in a page's component is on screen immediately. Ctrl-C stops both.
import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { Agent } from 'node:http'
import { join, posix } from 'node:path'
import { readFile } from 'node:fs/promises'
import { createServer } from 'vite'

const root = join(import.meta.dirname, '..')
process.chdir(root)
if (existsSync('.env')) process.loadEnvFile('.env')

const port = Number(process.env.PORT || 9000)
/** `DEV_PORT=0` takes a free port. */
const devPort = Number(process.env.DEV_PORT || 5173)
const pages = join(root, 'src/web')

/** Vite's own modules, and the files of the pages. */
const isOfVite = (path) =>
  /^\/(@|node_modules\/)/.test(path) ||
  statSync(join(pages, posix.normalize(path)), { throwIfNoEntry: false })?.isFile() === true

/** The file of the page at a path, by the server's own routes. */
function pageAt(path) {
  if (path === '/') return '/index.html'
  if (path.startsWith('/m/') || path === '/check') return '/meeting.html'
  if (path === '/dashboard' || path.startsWith('/dashboard/')) return '/dashboard/index.html'
}

const vite = await createServer({
  configFile: join(pages, 'vite.config.ts'),
  cacheDir: join(root, 'node_modules/.cache/vite'),
  clearScreen: false,
  appType: 'custom',
  server: {
    // The server trusts its owner on a loopback address only. `localhost` may be either family; the proxy uses one.
    host: '127.0.0.1',
    port: devPort,
    strictPort: devPort !== 0,
    proxy: {
      '^/': {
        target: `http://127.0.0.1:${port}`,
        ws: true,
        // `Connection: close` would look like a proxy, and the server would no longer trust the owner at this machine.
        agent: new Agent({ keepAlive: true }),
        bypass: ({ url, headers }) =>
          headers['sec-websocket-protocol']?.startsWith('vite-') ||
          isOfVite(new URL(url, 'http://dev').pathname)
            ? url
            : undefined,
        configure: (proxy) =>
          proxy.on('error', (error, _request, response) => {
            if (!('writeHead' in response) || response.headersSent) return
            response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1' })
            response.end(`The server is not up (${error.code}): reload when it says that it is ready.\n`)
          }),
      },
    },
  },
  plugins: [
    {
      name: 'anteroom:pages',
      configureServer: ({ middlewares, transformIndexHtml }) => {
        middlewares.use((request, response, next) => {
          const { pathname } = new URL(request.url, 'http://dev')
          const page =
            request.headers.accept?.includes('text/html') && !isOfVite(pathname) && pageAt(pathname)
          if (!page) return next()
          void readFile(join(pages, page), 'utf8')
            .then((html) =>
              transformIndexHtml(page, html.replaceAll('"./', `"${posix.join(posix.dirname(page), '/')}`)),
            )
            .then((html) => {
              response.setHeader('content-type', 'text/html; charset=utf-8')
              response.end(html)
            })
            .catch(next)
        })
      },
    },
  ],
})
await vite.listen()
const { port: listensAt } = vite.httpServer.address()

const server = spawn(process.execPath, ['--watch', '--watch-preserve-output', 'src/cli.ts', 'serve'], {
  env: { ...process.env, PORT: String(port) },
  // Node's watcher ends when its input ends; only this process passes Ctrl-C on to it.
  stdio: ['ignore', 'inherit', 'inherit'],
  detached: true,
})
console.log(
  `\nOpen http://localhost:${listensAt} for the pages as they are being written; Ctrl-C stops all.\n`,
)

let stopping = false
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    // A second Ctrl-C kills the server immediately.
    if (stopping) process.kill(-server.pid, 'SIGKILL')
    stopping = true
    server.kill('SIGTERM')
  })
server.on('exit', (code) => {
  void vite.close().finally(() => process.exit(stopping ? 0 : (code ?? 1)))
})
