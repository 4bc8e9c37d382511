/** Builds the delivery of events from its parts. */
import type { MeetingFact } from '../protocol/webhooks.ts'
import { createAnnouncer } from './announcer.ts'
import { DefaultWebhooks, type Projects } from './default-webhooks.ts'
import { Dispatcher, type DispatcherOptions } from './dispatcher.ts'
import { defaultPolicy } from './schedule.ts'
import { Sender, type SenderOptions } from './sender.ts'
import { Signer } from './signer.ts'
import type { Delivery, Outbox, Secrets, AnnouncedMeeting } from './webhook.ts'

export interface WebhooksOptions extends Omit<SenderOptions, 'timeoutMs'> {
  outbox: Outbox
  secrets: Secrets
  projects: Projects
  /** Timeout of one attempt. Default: 10 s. */
  timeoutMs?: number
  /** How old an event may be and still be retried. Default: a day. */
  giveUpAfterMs?: number
  now: () => number
  /** From 0 to 1. */
  random: () => number
  newDeliveryId: () => string
  onSettled: DispatcherOptions['onSettled']
  onError: DispatcherOptions['onError']
}

export interface Webhooks {
  /** The deliveries for a fact: none, or one to the meeting's webhook or else its project's. */
  announce(meeting: AnnouncedMeeting, fact: MeetingFact): Delivery[]
  /** Reads the webhooks of projects again, because another process may have changed one. */
  refreshDefaults(): Promise<void>
  /** PKCS#1 PEM. */
  publicKey(): Promise<string>
  /** Starts delivering. */
  start(): void
  /** Gives deliveries in flight a moment to complete; the rest stays in the outbox. */
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
