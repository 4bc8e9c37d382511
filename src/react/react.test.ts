import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { AnteroomMeeting } from './react.ts'

test('rendered on a server, it is an element without the token', () => {
  const html = renderToString(
    createElement(AnteroomMeeting, {
      server: 'https://meet.example',
      meetingId: 'abcd-efgh-ijkl',
      token: 'a.secret.token',
      language: 'de',
      className: 'wide',
      style: { height: 600 },
    }),
  )
  assert.equal(
    html,
    '<anteroom-meeting meeting="abcd-efgh-ijkl" lang="de" class="wide" style="display:block;height:600px"></anteroom-meeting>',
  )
})
