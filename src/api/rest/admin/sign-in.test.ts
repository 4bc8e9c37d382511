/** Signing in while what decides about it changes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { OperatorRecord, Store } from '../../../store/store.ts'
import { openStore } from '../../../store/open.ts'
import { createSignIn, newFirstLink, type SignIn } from './sign-in.ts'

const PASSWORD = 'a password of enough length'
const HERE = { address: '', browser: '' }
const now = Date.now

let folder: string
let store: Store
let signIn: SignIn
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-sign-in-'))
  store = await openStore({ folder, masterKey: undefined, create: true })
  signIn = createSignIn({ store, now, randomBytes })
})
after(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const codeOf = (link: string): string => link.split('=')[1]!
const enrol = async ({ operatorId }: OperatorRecord): Promise<void> => {
  const secret = 'JBSWY3DPEHPK3PXP'
  await store.operators.totp.begin(operatorId, secret)
  assert.ok(await store.operators.totp.confirm(operatorId, { secret, at: 1, step: 1, codeHashes: [] }))
}

/** A sign-in by the password, in which `meanwhile` happens after the password was compared. */
async function overtaken(meanwhile: (owner: OperatorRecord) => Promise<unknown>) {
  const owner = await signIn.firstOwner()
  await signIn.setPassword(owner, PASSWORD, HERE)
  const late = createSignIn({
    store: {
      ...store,
      signIns: {
        ...store.signIns,
        add: async (record) => {
          await meanwhile(owner)
          await store.signIns.add(record)
        },
      },
    },
    now,
    randomBytes,
  })
  const entered = await late.withPassword({ password: PASSWORD }, HERE)
  return { entered, left: await store.signIns.list(owner.operatorId) }
}

test('a password that is replaced while it is used lets nobody in', async () => {
  const { entered, left } = await overtaken((owner) => signIn.setPassword(owner, `${PASSWORD} two`, HERE))
  assert.equal(entered, undefined)
  assert.equal(left.length, 1, 'of whoever replaced it')
})

test('a sign-in without a code ends where a second factor is set up meanwhile', async () => {
  const { entered, left } = await overtaken(async (owner) => {
    await enrol(owner)
    await signIn.renew(owner, HERE)
  })
  assert.equal(entered, undefined)
  assert.equal(left.length, 1, 'of whoever set it up')
  await store.operators.totp.drop((await signIn.firstOwner()).operatorId)
})

test('what is put in force is the secret that a code has confirmed; recovery codes come with it alone', async () => {
  const { operatorId } = await signIn.firstOwner()
  const { totp } = store.operators
  const how = { at: 1, step: 1, codeHashes: ['a', 'b'] }
  await totp.begin(operatorId, 'FIRST')
  await totp.begin(operatorId, 'SECOND')
  assert.equal(await totp.confirm(operatorId, { ...how, secret: 'FIRST' }), false)
  assert.equal(await totp.replaceRecoveryCodes(operatorId, ['c']), false)
  assert.equal(await totp.recoveryCodesLeft(operatorId), 0)
  assert.equal(await totp.confirm(operatorId, { ...how, secret: 'SECOND' }), true)
  assert.equal(await totp.replaceRecoveryCodes(operatorId, ['c']), true)
  assert.equal(await totp.recoveryCodesLeft(operatorId), 1)
  await totp.drop(operatorId)
})

test('the first link works only while its owner has no password', async () => {
  const owner = await signIn.firstOwner()
  await store.operators.change(owner.operatorId, { password: null })
  const unused = codeOf(await newFirstLink({ store, randomBytes }))
  await store.operators.change(owner.operatorId, { password: PASSWORD })
  await enrol(owner)
  assert.equal(await signIn.withCode(unused, HERE), undefined)

  await store.operators.change(owner.operatorId, { password: null })
  await store.operators.totp.drop(owner.operatorId)
  const link = codeOf(await newFirstLink({ store, randomBytes }))
  assert.ok(await signIn.withCode(link, HERE))
  assert.equal(await signIn.withCode(link, HERE), undefined, 'once')
})
