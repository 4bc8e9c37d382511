import type { Webhook } from './webhook.ts'

export interface Projects {
  list(): Promise<readonly { projectId: string; webhook: Webhook | null }[]>
}

/** Caches the webhooks of projects, so that announcing a fact needs no query. */
export class DefaultWebhooks {
  readonly #projects: Projects
  #webhooks = new Map<string, Webhook>()

  constructor(projects: Projects) {
    this.#projects = projects
  }

  readonly find = (projectId: string): Webhook | null => this.#webhooks.get(projectId) ?? null

  /** Reads them again, because another process may have changed one. */
  async refresh(): Promise<void> {
    const next = new Map<string, Webhook>()
    for (const { projectId, webhook } of await this.#projects.list())
      if (webhook) next.set(projectId, webhook)
    this.#webhooks = next
  }
}
