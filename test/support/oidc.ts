/** A real OpenID Connect provider on this machine, with people and their roles; and somebody who signs in there without a browser. */
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

export const CLIENT_ID = 'anteroom'
export const CLIENT_SECRET = 'a-secret-of-the-client-of-enough-length'

export class TestProvider {
  readonly #server: Server
  /** The roles of each person; without them, a person has none. */
  readonly roles = new Map<string, string[]>()
  readonly issuer: string

  private constructor(server: Server) {
    this.#server = server
    this.issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  }

  static async start(): Promise<TestProvider> {
    const server = createServer().listen(0, 'localhost')
    await once(server, 'listening')
    return new TestProvider(server)
  }

  /** Begins to answer: to the server at this address. */
  serve(base: string): void {
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: [`${base}/v2/admin/oidc/callback`],
          post_logout_redirect_uris: [`${base}/dashboard`],
        },
      ],
      cookies: { keys: ['for this test alone'] },
      scopes: ['openid', 'profile', 'roles'],
      claims: { openid: ['sub'], profile: ['name'], roles: ['realm'] },
      pkce: { required: () => true },
      findAccount: (_context, sub) => ({
        accountId: sub,
        claims: () => ({ sub, name: `${sub} of the company`, realm: { roles: this.roles.get(sub) ?? [] } }),
      }),
    })
    // Its warnings are about a provider for people.
    provider.on('server_error', (_context, error) => console.error(error))
    this.#server.on('request', (request, response) => void provider.callback()(request, response))
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** A person with cookies, who follows addresses until one is not the provider's. */
export class Visitor {
  readonly #cookies = new Map<string, Map<string, string>>()
  /** What it sends besides. */
  readonly headers: Record<string, string>

  constructor(headers: Record<string, string> = {}) {
    this.headers = headers
  }

  async ask(address: string, form?: Record<string, string>): Promise<Response> {
    const { host } = new URL(address)
    const jar = this.#cookies.get(host) ?? new Map<string, string>()
    this.#cookies.set(host, jar)
    const answer = await fetch(address, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { ...this.headers, cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { body: new URLSearchParams(form) }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]!.split('=')
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }

  cookies(address: string): string {
    return [...(this.#cookies.get(new URL(address).host) ?? [])]
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
  }

  /** Follows redirects and fills in the provider's forms; returns the first address for which `until` holds. */
  async go(from: string, login: string, until: (address: string) => boolean): Promise<string> {
    for (let address = from, hops = 0; hops < 20; hops++) {
      if (until(address)) return address
      let answer = await this.ask(address)
      if (answer.status === 200) {
        const page = await answer.text()
        const action = /action="([^"]+)"/.exec(page)?.[1]
        if (action === undefined) throw new Error(`${address}: ${page.slice(0, 300)}`)
        const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1] ?? ''
        answer = await this.ask(new URL(action, address).href, { prompt, login, password: 'any' })
      }
      const next = answer.headers.get('location')
      if (next === null) throw new Error(`${address} answered ${answer.status}: ${await answer.text()}`)
      address = new URL(next, address).href
    }
    throw new Error('too many redirects')
  }
}
