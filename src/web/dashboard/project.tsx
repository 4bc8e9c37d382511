import { createContext, use } from 'react'
import type { Method } from '../api.ts'
import type { Api } from './api.ts'
import type { Self } from '../../protocol/rest/admin.ts'
import type { Project } from '../../protocol/rest/keys.ts'

export interface ProjectScope {
  api: Api
  /** The operator who is signed in. */
  self: Self | null
  project: Project
  projects: readonly Project[]
  /** Loads the projects again. */
  refresh: () => void
}

export const ProjectContext = createContext<ProjectScope | undefined>(undefined)

/** The API client and the selected project. */
export function useProject(): ProjectScope & {
  inProject: <T>(method: Method, path: string, body?: object) => Promise<T>
  textInProject: (path: string) => Promise<string>
  /** Whether the operator's role allows an operation of the API document: `POST /v2/admin/keys`. What it does not, is not shown. */
  may: (operation: string) => boolean
} {
  const scope = use(ProjectContext)!
  return {
    ...scope,
    may: (operation) => mayCall(scope.self, operation),
    inProject: (method, path, body) => scope.api.inProject(scope.project.projectId, method, path, body),
    textInProject: (path) => scope.api.textInProject(scope.project.projectId, path),
  }
}

/** The admin key, which is nobody's, may call everything. */
export const mayCall = (self: Self | null, operation: string): boolean => !self?.mayNot.includes(operation)

/** The query string of a call, without empty fields. */
export function queryOf(fields: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== '') query.set(name, String(value))
  const text = query.toString()
  return text && `?${text}`
}
