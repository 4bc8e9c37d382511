// In an app of yours: import { connect } from 'anteroom/client'
import { connect } from '../../src/client/client.ts'

const url = 'http://localhost:9000'
const state = document.getElementById('state')!
const videos = document.getElementById('videos')!

document.getElementById('join')!.addEventListener('click', () => {
  void join().catch((error: unknown) => {
    state.textContent = error instanceof Error ? error.message : 'That did not work.'
  })
})

async function join(): Promise<void> {
  const { token } = (await (await fetch(`${url}/get-token`)).json()) as { token: string }
  // The meeting in this page's address, or a new one.
  const asked = new URLSearchParams(location.search).get('meeting')
  const created = asked ?? (await createMeeting(token))
  const meeting = await connect({ url, token, meetingId: created, name: 'Somebody' })
  meeting.on('stateChanged', (now) => {
    state.textContent = `${now}: ${location.origin}?meeting=${created}`
  })
  meeting.on('streamAdded', (stream) => {
    const element = document.createElement(stream.track.kind === 'video' ? 'video' : 'audio')
    element.id = stream.id
    element.autoplay = true
    element.srcObject = new MediaStream([stream.track])
    videos.append(element)
  })
  meeting.on('streamRemoved', (stream) => document.getElementById(stream.id)?.remove())
}

async function createMeeting(token: string): Promise<string> {
  const answer = await fetch(`${url}/v2/rooms`, { method: 'POST', headers: { authorization: token } })
  return ((await answer.json()) as { roomId: string }).roomId
}
