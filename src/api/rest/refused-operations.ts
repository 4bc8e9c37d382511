/** What each role of an operator may not call, from the descriptions of the routes. */
import type { FastifyContextConfig, FastifyInstance } from 'fastify'
import type { OperatorRole } from '../../store/store.ts'
import { mayAct, roleForMethod } from '../../project/roles.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The operations that are refused to operators of a role, as in the API document: `POST /v2/admin/keys`. */
    refusedTo: (role: OperatorRole) => string[]
  }
}

/** The least role for a call by sign-in; undefined if the role does not matter. */
export function roleFor({ access, role }: FastifyContextConfig, method: string): OperatorRole | undefined {
  if (access === 'admin') return role
  return access === 'token' ? roleForMethod(method) : undefined
}

/** Adds `refusedTo()`. Call this before registering routes: each is noted when it is registered. */
export function noteRoles(app: FastifyInstance): void {
  const needed = new Map<string, OperatorRole>()
  app.addHook('onRoute', ({ method, url, config, schema }) => {
    if (schema?.hide === true || schema?.deprecated === true) return
    for (const one of [method].flat()) {
      if (one === 'HEAD') continue
      const role = roleFor(config ?? {}, one)
      if (role !== undefined) needed.set(`${one} ${url.replaceAll(/:(\w+)/g, '{$1}')}`, role)
    }
  })
  app.decorate('refusedTo', (role) =>
    [...needed].filter(([, least]) => !mayAct(role, least)).map(([operation]) => operation),
  )
}
