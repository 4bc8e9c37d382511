/** The routes of operators. */
import type { Routes } from '../../context.ts'
import { auditRoutes } from './audit-routes.ts'
import { browserRoutes } from './browser-routes.ts'
import { debugRoutes } from './debug-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { adminTokenRoutes } from './token-routes.ts'
import { nodeRoutes } from './node-routes.ts'
import { operatorRoutes } from './operator-routes.ts'
import { peopleRoutes } from './people-routes.ts'
import { signInRoutes } from './sign-in-routes.ts'
import { usageRoutes } from './usage-routes.ts'

export const adminRoutes: Routes = (app, context) => {
  for (const routes of [
    signInRoutes,
    browserRoutes,
    operatorRoutes,
    auditRoutes,
    peopleRoutes,
    keyRoutes,
    adminTokenRoutes,
    nodeRoutes,
    debugRoutes,
    usageRoutes,
  ])
    routes(app, context)
}
