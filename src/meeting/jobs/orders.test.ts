import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FilesPlace } from '../../output/files/files.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { Storage } from '../../protocol/rest/transcodings.ts'
import { dirPathOfStorage } from './orders.ts'

const s3: FilesPlace = {
  kind: 's3',
  bucket: 'films',
  prefix: 'meet',
  endpoint: 'https://s3.example',
  region: 'us-east-1',
  pathStyle: true,
}
const folder: FilesPlace = { kind: 'folder', folder: '/srv/films' }

for (const [storage, place, dirPath] of [
  [undefined, undefined, undefined],
  [null, s3, undefined],
  [{ type: 's3' }, s3, undefined],
  [{ type: 's3', bucket: null, container: null, dirPath: null }, s3, undefined],
  [{ type: 's3', bucket: 'films', dirPath: '/team/a/' }, s3, 'team/a'],
] as [Storage | null | undefined, FilesPlace | undefined, string | undefined][])
  test(`the file goes to ${dirPath ?? 'the top'} for ${JSON.stringify(storage)}`, () =>
    assert.equal(dirPathOfStorage(storage, place), dirPath))

for (const [storage, place, says] of [
  [{ type: 's3' }, undefined, /FILES_URL names no S3 store/],
  [{ type: 's3' }, folder, /FILES_URL names no S3 store/],
  [{ type: 'blob', container: 'films' }, s3, /no blob account/],
  [{ type: 'gcp', bucket: 'films' }, s3, /no gcp account/],
  [{ type: 's3', bucket: 'another' }, s3, /must be the bucket/],
  [{ type: 's3', dirPath: '../up' }, s3, /storage\.dirPath must be names/],
] as [Storage, FilesPlace | undefined, RegExp][])
  test(`${JSON.stringify(storage)} is refused with ${place?.kind ?? 'no'} store`, () =>
    assert.throws(
      () => dirPathOfStorage(storage, place),
      (error) => error instanceof Refusal && error.code === 'INVALID_REQUEST' && says.test(error.message),
    ))
