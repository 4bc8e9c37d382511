import { createContext, use } from 'react'
import type { Method } from '../api.ts'
import type { Api } from './api.ts'
import type { Project } from '../../protocol/rest/keys.ts'

export interface Desk {
  api: Api
  project: Project
  projects: readonly Project[]
  /** Asks for the projects again. */
  refresh: () => void
}

export const DeskContext = createContext<Desk | undefined>(undefined)

/** Who is asked, and for which project. */
export function useDesk(): Desk & {
  inProject: <T>(method: Method, path: string, body?: object) => Promise<T>
  textInProject: (path: string) => Promise<string>
} {
  const desk = use(DeskContext)!
  return {
    ...desk,
    inProject: (method, path, body) => desk.api.inProject(desk.project.projectId, method, path, body),
    textInProject: (path) => desk.api.textInProject(desk.project.projectId, path),
  }
}

/** A query of the API; what is empty is left out. */
export function queryOf(fields: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== '') query.set(name, String(value))
  const text = query.toString()
  return text && `?${text}`
}
