/** Builds the delivery of events from its parts. */
import type { MeetingFact } from '../protocol/webhooks.ts'
import { createAnnouncer } from './announcer.ts'
import { DefaultWebhooks, type Projects } from './default-webhooks.ts'
import { Dispatcher, type DispatcherOptions } from './dispatcher.ts'
import { defaultPolicy } from './schedule.ts'
import { Sender, type SenderOptions } from './sender.ts'
import { Signer } from './signer.ts'
import type { Delivery, Outbox, Secrets, ToldMeeting } from './webhook.ts'

export interface WebhooksOptions extends Omit<SenderOptions, 'timeoutMs'> {
  outbox: Outbox
  secrets: Secrets
  projects: Projects
  /** Of one try. Default: 10 s. */
  timeoutMs?: number
  /** How old an event may be and still be tried again. Default: a day. */
  giveUpAfterMs?: number
  now: () => number
  /** From 0 to 1. */
  random: () => number
  newDeliveryId: () => string
  onSettled: DispatcherOptions['onSettled']
  onError: DispatcherOptions['onError']
}

export interface Webhooks {
  /** The deliveries that a fact calls for: none, or one to the webhook of the meeting, or else to that of its project. */
  announce(meeting: ToldMeeting, fact: MeetingFact): Delivery[]
  /** Reads the webhooks of projects again; another process may have changed one. */
  refreshDefaults(): Promise<void>
  /** PKCS#1 PEM. */
  publicKey(): Promise<string>
  /** Delivers from now on. */
  start(): void
  /** Gives deliveries that are under way a moment to arrive; the rest stays in the outbox. */
  stop(): Promise<void>
}

export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { outbox, secrets, projects, now, random, newDeliveryId, onSettled, onError } = options
  const { allowPrivate, resolve } = options
  const policy = {
    ...defaultPolicy,
    timeoutMs: options.timeoutMs ?? defaultPolicy.timeoutMs,
    giveUpAfterMs: options.giveUpAfterMs ?? defaultPolicy.giveUpAfterMs,
  }
  const defaults = new DefaultWebhooks(projects)
  const signer = new Signer(secrets)
  const sender = new Sender({ allowPrivate, timeoutMs: policy.timeoutMs, ...(resolve && { resolve }) })
  const dispatcher = new Dispatcher({ outbox, signer, sender, policy, now, random, onSettled, onError })
  return {
    announce: createAnnouncer({ defaultWebhook: defaults.find, newDeliveryId }),
    refreshDefaults: () => defaults.refresh(),
    publicKey: () => signer.publicKey(),
    start: () => dispatcher.start(),
    stop: () => dispatcher.stop(),
  }
}
