/** Debian's Firefox in a meeting with Chromium: on our page and with a published client. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser, Person } from './support/browser.ts'
import { launchFirefox, noFirefox } from './support/firefox.ts'
import { RealServer } from './support/real-server.ts'

let chromium: Browser | undefined
let firefox: Browser | undefined
let server: RealServer | undefined
const people: Person[] = []

before(async () => {
  if (noFirefox !== false) return
  ;[chromium, firefox, server] = await Promise.all([launchBrowser(), launchFirefox(), RealServer.start()])
})
after(async () => {
  await Promise.all([chromium?.close(), firefox?.close(), server?.stop()])
})
afterEach(async () => {
  for (const { name, errors } of people) {
    // On a busy machine Firefox gives up the first try, and the client connects anew.
    const others = errors.filter((error) => !error.startsWith('ICE failed'))
    assert.deepEqual(others, [], `errors in ${name}'s page`)
  }
  await Promise.all(people.splice(0).map((person) => person.close()))
})

async function person(at: Browser, name: string): Promise<Person> {
  const one = await Person.at(at, name)
  people.push(one)
  return one
}

test('on the page, Firefox and Chromium see and hear each other', { skip: noFirefox }, async () => {
  const fay = await person(firefox!, 'Fay')
  await fay.start(server!.url)
  const cem = await person(chromium!, 'Cem')
  await cem.open(await fay.invite('direct'))
  await cem.seesAndHears(1)
  await fay.seesAndHears(1)
})
