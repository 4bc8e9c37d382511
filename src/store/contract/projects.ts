export interface ProjectRecord {
  projectId: string
  name: string
  /** The webhook of meetings without a webhook of their own. */
  webhook: WebhookSettings | null
  createdAt: number
}

/** Where events are sent, and which: exact names, `*`, or a prefix before `*` (contract, rest-and-tokens §3.2). */
export interface WebhookSettings {
  endPoint: string
  events: string[]
}

export interface ProjectStore {
  create(project: ProjectRecord): Promise<void>
  list(): Promise<ProjectRecord[]>
  /** Returns undefined if there is no such project. */
  change(
    projectId: string,
    changes: Partial<Pick<ProjectRecord, 'name' | 'webhook'>>,
  ): Promise<ProjectRecord | undefined>
}
