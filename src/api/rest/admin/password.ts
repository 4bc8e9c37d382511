/** Stores the dashboard's password: scrypt, with its parameters beside the hash so that they can grow later. */
import { scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'

interface KeptPassword {
  N: number
  r: number
  p: number
  /** Base64. */
  salt: string
  hash: string
}

/** 32 MiB and about a quarter of a second. */
const COST = { N: 2 ** 15, r: 8, p: 3 }
const MAX_MEMORY_BYTES = 64 * 1024 * 1024
const SALT_BYTES = 16
const HASH_BYTES = 32

/** Compared with if there is no password, so that it takes the same time. */
const NOBODY: KeptPassword = { ...COST, salt: '', hash: '' }

export async function keepPassword(password: string, randomBytes: (size: number) => Buffer): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, COST)
  const kept: KeptPassword = { ...COST, salt: salt.toString('base64'), hash: hash.toString('base64') }
  return JSON.stringify(kept)
}

/** @param kept as made by `keepPassword`; undefined if no password is set, and then nothing matches */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  const { salt, hash, ...cost } = kept === undefined ? NOBODY : (JSON.parse(kept) as KeptPassword)
  const derived = await derive(password, Buffer.from(salt, 'base64'), cost)
  const wanted = Buffer.from(hash, 'base64')
  return wanted.length === derived.length && timingSafeEqual(wanted, derived)
}

function derive(password: string, salt: Buffer, { N, r, p }: typeof COST): Promise<Buffer> {
  const options: ScryptOptions = { N, r, p, maxmem: MAX_MEMORY_BYTES }
  return new Promise((resolve, reject) => {
    // Normalise, because keyboards compose letters differently.
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}
