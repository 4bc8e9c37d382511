/**
 * Where the files of outputs end up. An output records into a folder of its own on this machine; when it has ended, its files are put
 * into a `FileStore`, if there is one. Types only.
 */
import type { Readable } from 'node:stream'

/** A folder, or a bucket of a store that speaks S3; without credentials. */
export type FilesPlace = { kind: 'folder'; folder: string } | S3Place

export interface S3Place {
  kind: 's3'
  bucket: string
  /** Before every key, without slashes at its ends; may be empty. */
  prefix: string
  /** Base address of the store: `https://s3.eu-central-1.amazonaws.com`. */
  endpoint: string
  region: string
  /** The bucket is in the path of addresses, not in their host name. */
  pathStyle: boolean
}

/** Keys are relative paths of plain characters. Its methods reject with a `FileStoreError`, or with why a file here cannot be read. */
export interface FileStore {
  /** As people see it: never with credentials. */
  readonly place: string
  /** Copies a file of this machine. Resolves when what the store has was compared with it; what is there already is left as it is. */
  put(key: string, file: string, contentType: string): Promise<void>
  /** Its size; undefined if there is none. */
  sizeOf(key: string): Promise<number | undefined>
  /** @param range of bytes, as in the header of HTTP; one that is malformed, or of several parts, is ignored */
  read(key: string, range?: string): Promise<StoredFile | Unsatisfiable | undefined>
  /** The keys below a folder. */
  list(folder: string): Promise<string[]>
  /** Deletes all that is below a folder, and what unfinished uploads left there. */
  drop(folder: string): Promise<void>
  /** Ends what is under way. */
  close(): void
}

export interface StoredFile {
  body: Readable
  /** Of the body. */
  length: number
  /** Which part of the file it is; undefined: all of it. */
  part?: { from: number; to: number; of: number }
}

/** A range that begins behind the end of a file of this size. */
export interface Unsatisfiable {
  unsatisfiable: number
}

/** A file of an output for programs of this machine. */
export interface BorrowedFile {
  /** It may be the only one: never write to it. */
  path: string
  /** In bytes, with the files that came with it. */
  size: number
  /** Call this when it is not needed any more. */
  release(): Promise<void>
}

/** What the address that a file was uploaded to answered; `status` is undefined if it did not. */
export interface UploadAnswer {
  status: number | undefined
  /** One sentence without the address, which is a secret. */
  problem: string | undefined
}
