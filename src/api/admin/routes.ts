/** What the one who runs the server may ask for. */
import type { Routes } from '../context.ts'
import { signInRoutes } from './sign-in-routes.ts'

export const adminRoutes: Routes = (app, context) => {
  for (const routes of [signInRoutes]) routes(app, context)
}
