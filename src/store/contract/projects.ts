export interface ProjectRecord {
  projectId: string
  name: string
  /** For the meetings that name none of their own. */
  webhook: WebhookSettings | null
  createdAt: number
}

/** Where events are told, and which: exact names, `*`, or a prefix before `*` (contract, rest-and-tokens §3.2). */
export interface WebhookSettings {
  endPoint: string
  events: string[]
}

export interface ProjectStore {
  create(project: ProjectRecord): Promise<void>
  list(): Promise<ProjectRecord[]>
  /** Undefined when there is no such project. */
  change(
    projectId: string,
    changes: Partial<Pick<ProjectRecord, 'name' | 'webhook'>>,
  ): Promise<ProjectRecord | undefined>
}
