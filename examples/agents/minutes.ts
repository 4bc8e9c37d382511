/**
 * Writes who spoke when, one line for each time, until it is stopped with Ctrl-C.
 *
 *     URL=http://localhost:9000 TOKEN=… MEETING_ID=… npm run example:minutes > minutes.txt
 */
import { joinMeeting, type Participant } from 'anteroom/agent'

const { URL: url = 'http://localhost:9000', TOKEN: token = '', MEETING_ID: meetingId = '' } = process.env
/** Of 32768; what is quieter is no voice. */
const LOUD_ENOUGH = 500
/** A shorter pause belongs to what is said. */
const PAUSE_MS = 700

const agent = await joinMeeting({ url, token, meetingId, name: 'Minutes' })
console.error('Minutes is in the meeting.')
const beganAt = Date.now()

const clock = (at: number): string => new Date(Math.max(0, at - beganAt)).toISOString().slice(11, 19)

function loudness(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
}

async function follow({ id, name }: Pick<Participant, 'id' | 'name'>): Promise<void> {
  let spoken: { from: number; to: number } | undefined
  const write = (): void => {
    if (spoken) console.log(`${clock(spoken.from)} – ${clock(spoken.to)}  ${name}`)
    spoken = undefined
  }
  // While somebody is silent, or muted, nothing may come at all.
  const timer = setInterval(() => {
    if (spoken && Date.now() - spoken.to > PAUSE_MS) write()
  }, 100)
  for await (const { samples, arrivedAt } of agent.pcm(id, { sampleRate: 16_000 })) {
    if (loudness(samples) < LOUD_ENOUGH) continue
    spoken = { from: spoken?.from ?? arrivedAt, to: arrivedAt }
  }
  clearInterval(timer)
  write()
}

agent.on('participantJoined', (participant) => void follow(participant))
for (const participant of agent.participants.values()) void follow(participant)
process.once('SIGINT', () => void agent.leave())
process.once('SIGTERM', () => void agent.leave())
