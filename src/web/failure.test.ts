import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { DeviceError, MeetingError } from '../client/client.ts'
import { ServerClientError } from '../server-client/call.ts'
import { failureOf } from './failure.ts'
import { showLanguage } from './texts/texts.ts'

after(() => showLanguage('en'))

const failures: [what: string, error: unknown, inEnglish: string, inGerman: string][] = [
  [
    'a refusal on the socket',
    new MeetingError(4008, 'INVALID_PERMISSIONS', 'The token does not permit this.'),
    'The token does not permit this.',
    'Das dürfen Sie nicht.',
  ],
  [
    'a refusal over HTTP',
    new ServerClientError('RATE_LIMITED', 'Too many requests; try again in a moment.'),
    'Too many requests; try again in a moment.',
    'Das war zu viel auf einmal. Versuchen Sie es gleich noch einmal.',
  ],
  [
    'a code of a newer server',
    new MeetingError(5000, 'OF_A_NEWER_SERVER', 'It is raining.'),
    'It is raining.',
    'Das hat nicht geklappt.',
  ],
  ['something that is no error', 'no', 'That did not work.', 'Das hat nicht geklappt.'],
  [
    'a screen',
    new DeviceError('screen', 'busy', undefined),
    'The screen is in use by another program.',
    'Der Bildschirm kann jetzt nicht geteilt werden.',
  ],
]

for (const [what, error, inEnglish, inGerman] of failures)
  test(`a failure is told in the language of the page: ${what}`, async () => {
    await showLanguage('en')
    assert.equal(failureOf(error), inEnglish)
    await showLanguage('de')
    assert.equal(failureOf(error), inGerman)
  })

test('an output that ended because of an error is told as that', async () => {
  const died = new MeetingError(5001, 'RECORDING_FAILED', 'The disk is full.')
  await showLanguage('en')
  assert.equal(failureOf(died, 'failure.output'), 'The disk is full.')
  await showLanguage('fr')
  assert.match(failureOf(died, 'failure.output'), /à cause d’une erreur/)
})
