/**
 * Says again what the first person who comes in says. With `MEASURE=true` it brings a caller of its own, who says a short tone
 * every second, and prints how long it takes to come back.
 *
 *     URL=http://localhost:9000 TOKEN=… MEETING_ID=… npm run example:echo
 */
import { joinMeeting, type Agent, type PcmFrame, type Participant } from 'anteroom/agent'

const { URL: url = 'http://localhost:9000', TOKEN: token = '', MEETING_ID: meetingId = '' } = process.env

const bot = await joinMeeting({ url, token, meetingId, name: 'Echo' })
console.log('Echo is in the meeting.')

async function echo({ id, name }: Pick<Participant, 'id' | 'name'>): Promise<void> {
  console.log(`Echoing ${name}.`)
  const speech = await bot.publishAudio(bot.pcm(id))
  await speech.ended
  console.log(`${name} left.`)
}

/** Tones of 100 ms, one each second. */
async function* tones(said: (at: number) => void): AsyncGenerator<Int16Array> {
  for (let piece = 0; ; piece++) {
    const isTone = piece % 50 < 5
    if (piece % 50 === 0) said(performance.now())
    yield Int16Array.from({ length: 960 }, (_, at) =>
      isTone ? 8000 * Math.sin((2 * Math.PI * 1000 * at) / 48_000) : 0,
    )
    // Samples are taken a little in advance; a microphone gives them as time goes by.
    await new Promise((next) => setTimeout(next, 20))
  }
}

const isLoud = ({ samples }: PcmFrame): boolean => samples.some((sample) => Math.abs(sample) > 1000)

async function measure(caller: Agent): Promise<void> {
  const begun: number[] = []
  await caller.publishAudio(tones((at) => begun.push(at)))
  let wasLoud = false
  for await (const frame of caller.pcm(bot.self.id)) {
    const loud = isLoud(frame)
    if (loud && !wasLoud) {
      const heardAt = performance.now()
      const saidAt = begun.findLast((at) => at < heardAt)
      if (saidAt !== undefined) console.log(`Round trip: ${Math.round(heardAt - saidAt)} ms`)
    }
    wasLoud = loud
  }
}

const leave = async (caller?: Agent): Promise<void> => {
  await Promise.all([bot.leave(), caller?.leave()])
}

let caller: Agent | undefined
bot.on('participantJoined', (participant) => {
  if (caller === undefined || participant.id === caller.self.id) void echo(participant)
})
if (process.env.MEASURE === 'true') {
  caller = await joinMeeting({ url, token, meetingId, name: 'Caller' })
  void measure(caller)
} else for (const participant of bot.participants.values()) void echo(participant)
process.once('SIGINT', () => void leave(caller))
process.once('SIGTERM', () => void leave(caller))
