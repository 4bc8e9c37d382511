/**
 * The versions that a test runs: all with `TEST_EVERY_VERSION`, as in `.ci/run`; otherwise the oldest, a middle and the
 * newest one.
 */
export function sampleOf<Version>(
  versions: readonly Version[],
  middle: Version,
  every = process.env.TEST_EVERY_VERSION === 'true',
): readonly Version[] {
  return every ? versions : [versions[0]!, middle, versions.at(-1)!]
}
