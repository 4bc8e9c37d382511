/** The streams of a participant that an operator can switch. */
export type Kind = 'audio' | 'video' | 'share'

/** The confirmation after one was switched off. */
export const OFF: Record<Kind, string> = {
  audio: 'the microphone is off',
  video: 'the camera is off',
  share: 'the screen is no longer shared',
}
