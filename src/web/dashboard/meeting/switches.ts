/** The streams of a participant that can be switched from here. */
export type Kind = 'audio' | 'video' | 'share'

/** What is said when one was switched off. */
export const OFF: Record<Kind, string> = {
  audio: 'the microphone is off',
  video: 'the camera is off',
  share: 'the screen is no longer shared',
}
