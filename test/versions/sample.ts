/**
 * Which versions a test runs. All of them with `TEST_EVERY_VERSION`, as in `.ci/run`; else the oldest, one of the middle
 * and the newest.
 */
export function sampleOf<Version>(
  versions: readonly Version[],
  middle: Version,
  every = process.env.TEST_EVERY_VERSION === 'true',
): readonly Version[] {
  return every ? versions : [versions[0]!, middle, versions.at(-1)!]
}
