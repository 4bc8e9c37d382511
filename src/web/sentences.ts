/** Explains a refusal or an end to the person at the page, and what to do about it. */

export interface Sentence {
  title: string
  advice: string
  /** Whether another attempt may succeed. */
  again: boolean
}

/** Another attempt loads the page again. */
export const PAGE_INCOMPLETE: Sentence = {
  title: 'A part of this page could not be loaded',
  advice: 'Check your connection and try again. That loads the page again.',
  again: true,
}

const UNREACHABLE: Sentence = {
  title: 'The server cannot be reached',
  advice: 'Check your connection and try again.',
  again: true,
}

const byReason: Record<string, Sentence> = {
  INVALID_TOKEN: {
    title: 'This link has expired',
    advice: 'Ask the person who invited you for a new one.',
    again: false,
  },
  INVALID_API_KEY: {
    title: 'This link is for another server',
    advice: 'Ask the person who invited you for the right one.',
    again: false,
  },
  APIKEY_DEACTIVATED: {
    title: 'This link was withdrawn',
    advice: 'Ask the person who invited you for a new one.',
    again: false,
  },
  INVALID_MEETING_ID: {
    title: 'There is no such meeting',
    advice: 'Check the link or the id for a missing letter.',
    again: false,
  },
  MEETING_ID_DISABLED: {
    title: 'This meeting is closed for good',
    advice: 'Ask for a link to another meeting.',
    again: false,
  },
  INVALID_PERMISSIONS: {
    title: 'This link does not let you in',
    advice: 'Ask the person who invited you for another one.',
    again: false,
  },
  UNAUTHORIZED_MEETING_ID: {
    title: 'This link is for another meeting',
    advice: 'Use the link that you got for this meeting.',
    again: false,
  },
  UNAUTHORIZED_PARTCIPANT_ID: {
    title: 'This link is for somebody else',
    advice: 'Use the link that was made for you.',
    again: false,
  },
  UNAUTHORIZED_ROLE: {
    title: 'This link cannot be used to join',
    advice: 'Ask the person who invited you for another one.',
    again: false,
  },
  REMOVED_FROM_SESSION: {
    title: 'You were removed from this meeting',
    advice: 'You can come back when it is held again, or when somebody inside lifts this.',
    again: false,
  },
  ENTRY_DENIED: {
    title: 'You were not let in',
    advice: 'Nobody answered, or somebody declined. You may ask again.',
    again: true,
  },
  DUPLICATE_PARTICIPANT: {
    title: 'You joined from another place',
    advice: 'This window was left because you are in the meeting elsewhere.',
    again: true,
  },
  MAX_PARTCIPANT_REACHED: {
    title: 'The meeting is full',
    advice: 'Try again when somebody has left.',
    again: true,
  },
  RATE_LIMITED: { title: 'Too many people are at the door', advice: 'Try again in a moment.', again: true },
  MEDIA_UNAVAILABLE: {
    title: 'Sound and picture are off on this server',
    advice: 'Whoever runs it can find the cure with: anteroom doctor',
    again: true,
  },
  MEDIA_PREPARING: {
    title: 'Sound and picture are being prepared',
    advice: 'This takes some minutes after the first start of the server.',
    again: true,
  },
  NOT_FOUND: {
    title: 'This invite does not work any more',
    advice: 'Ask the person who invited you for a new link.',
    again: false,
  },
  NO_KNOCK: {
    title: 'This address alone does not let you in',
    advice: 'Ask somebody who is in the meeting for an invite link.',
    again: false,
  },
  UNAUTHORIZED: {
    title: 'You cannot start a meeting here yet',
    advice: 'Sign in at /dashboard, or join by an invite.',
    again: false,
  },
  CONNECTION_FAILED: UNREACHABLE,
  TIMEOUT: UNREACHABLE,
  PAGE_INCOMPLETE,
  MEDIA_FAILED: {
    title: 'This browser could not connect sound and picture',
    advice: 'Try again, or use another browser.',
    again: true,
  },
}

const byLeaveCode: Record<number, Sentence> = {
  1002: {
    title: 'You were removed from the meeting',
    advice: 'You can come back when it is held again.',
    again: false,
  },
  1006: { title: 'The meeting has ended', advice: 'It was closed by the server.', again: true },
  1008: { title: 'The meeting has ended', advice: 'It was ended for everybody.', again: true },
  1009: { title: 'The meeting has ended', advice: 'It was ended for everybody.', again: true },
  1010: {
    title: 'You were removed from the meeting',
    advice: 'You can come back when it is held again.',
    again: false,
  },
  1011: byReason.DUPLICATE_PARTICIPANT!,
  1101: { title: 'You left the meeting', advice: 'You can go back as long as it goes on.', again: true },
  1102: UNREACHABLE,
}

export function sentenceFor(reason: string | undefined, code?: number): Sentence {
  return (
    (reason !== undefined ? byReason[reason] : undefined) ??
    (code !== undefined ? byLeaveCode[code] : undefined) ?? {
      title: 'That did not work',
      advice: 'Try again in a moment.',
      again: true,
    }
  )
}
