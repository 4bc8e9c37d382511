/** Obeys the app that embeds the page, and tells it what happens. The browser lets only those of EMBED_ORIGINS embed it. */
import type { Meeting } from '../../client/client.ts'
import { commandOf, VERSION, type Command } from './protocol.ts'

/** Without names and tokens: whoever embeds the page knows whom it let in. */
function tell(type: string, details: Record<string, unknown> = {}): void {
  if (window.parent !== window) window.parent.postMessage({ type, version: VERSION, ...details }, '*')
}

export function followApp(meeting: Meeting): void {
  if (window.parent === window) return
  const hear = ({ source, data }: MessageEvent): void => {
    const command = source === window.parent ? commandOf(data) : undefined
    if (!command) return
    obey(meeting, command).catch((error: unknown) => {
      tell('anteroom:refused', {
        command: command.command,
        reason: error instanceof Error ? error.message : '',
      })
    })
  }
  let isIn = false
  const look = (): void => {
    if (meeting.state !== 'joined' || isIn) return
    isIn = true
    tell('anteroom:joined', { meetingId: meeting.meetingId, participantId: meeting.self.id })
  }
  window.addEventListener('message', hear)
  meeting.on('stateChanged', look)
  meeting.on('participantJoined', ({ id }) => tell('anteroom:participant-joined', { participantId: id }))
  meeting.on('participantLeft', ({ id }) => tell('anteroom:participant-left', { participantId: id }))
  meeting.on('left', () => window.removeEventListener('message', hear))
  look()
}

async function obey(meeting: Meeting, command: Command): Promise<void> {
  const { devices } = meeting
  switch (command.command) {
    case 'leave':
      return meeting.leave()
    case 'mic':
      return command.on ? devices.enableMic() : devices.disableMic()
    case 'camera':
      return command.on ? devices.enableCamera() : devices.disableCamera()
    case 'share':
      return command.on ? devices.startShare() : devices.stopShare()
  }
}
