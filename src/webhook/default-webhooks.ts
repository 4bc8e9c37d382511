import type { Webhook } from './webhook.ts'

export interface Projects {
  list(): Promise<readonly { projectId: string; webhook: Webhook | null }[]>
}

/** The webhooks of projects, in memory, so that a fact is told without a question to the store. */
export class DefaultWebhooks {
  readonly #projects: Projects
  #webhooks = new Map<string, Webhook>()

  constructor(projects: Projects) {
    this.#projects = projects
  }

  readonly find = (projectId: string): Webhook | null => this.#webhooks.get(projectId) ?? null

  /** Reads them again; another process may have changed one. */
  async refresh(): Promise<void> {
    const next = new Map<string, Webhook>()
    for (const { projectId, webhook } of await this.#projects.list())
      if (webhook) next.set(projectId, webhook)
    this.#webhooks = next
  }
}
