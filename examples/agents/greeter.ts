/**
 * Greets whoever comes in with speech from a file, and answers `!who` in the chat with the names of those who are there.
 *
 *     URL=http://localhost:9000 TOKEN=… MEETING_ID=… npm run example:greeter
 */
import { join } from 'node:path'
import { joinMeeting } from 'anteroom/agent'

const { URL: url = 'http://localhost:9000', TOKEN: token = '', MEETING_ID: meetingId = '' } = process.env
const greeting = process.env.GREETING ?? join(import.meta.dirname, 'hello.ogg')

const agent = await joinMeeting({ url, token, meetingId, name: 'Greeter' })
console.log('Greeter is in the meeting.')

/** One greeting at a time: who comes meanwhile is greeted next. */
let speaking = Promise.resolve()
const greet = (name: string): void => {
  speaking = speaking.then(async () => {
    const speech = await agent.publishAudio(greeting)
    const { reason } = await speech.ended
    console.log(reason === 'finished' ? `Greeted ${name}.` : `Greeting ${name} ended early: ${reason}.`)
  })
  speaking = speaking.catch((error: unknown) => console.error(error))
}
agent.on('participantJoined', ({ name }) => greet(name))

agent.chat.listen('CHAT', ({ text, from }, isOld) => {
  if (isOld || text.trim() !== '!who') return
  const names = [...agent.participants.values()].map(({ name }) => name)
  agent.chat.publish('CHAT', `Here are ${names.join(', ')}.`).catch((error: unknown) => console.error(error))
  console.log(`Answered ${from}.`)
})

agent.on('left', ({ message }) => console.log(`Left: ${message}`))
process.once('SIGINT', () => void agent.leave())
process.once('SIGTERM', () => void agent.leave())
