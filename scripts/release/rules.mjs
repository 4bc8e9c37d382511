// The text changes of a release: the version and the changelog. Pure functions.

const VERSION = /^(\d+)\.(\d+)\.(\d+)$/
const NEXT = '## NEXT'

/**
 * Returns the requested version: itself, or the one after `current`.
 * @param asked `patch`, `minor`, `major`, or a version
 * @param isReleased whether `current` was released; an unreleased version may be requested as it is
 */
export function versionAsked(asked, current, isReleased) {
  const [major, minor, patch] = VERSION.exec(current).slice(1).map(Number)
  if (asked === 'major') return `${major + 1}.0.0`
  if (asked === 'minor') return `${major}.${minor + 1}.0`
  if (asked === 'patch') return `${major}.${minor}.${patch + 1}`
  const parts = VERSION.exec(asked ?? '')
    ?.slice(1)
    .map(Number)
  if (!parts) throw new Error('Name a version such as 1.2.3, or one of patch, minor and major.')
  const difference = parts[0] - major || parts[1] - minor || parts[2] - patch
  if (difference < 0) throw new Error(`${asked} is below the version of package.json, ${current}.`)
  if (difference === 0 && isReleased) throw new Error(`${asked} was released already.`)
  return asked
}

/** Moves the notes below `## NEXT` under the version and its date. Returns the changelog and the notes. */
export function released(changelog, version, date) {
  const [before, rest] = changelog.split(`\n${NEXT}\n`)
  if (rest === undefined) throw new Error(`CHANGELOG.md has no heading "${NEXT}".`)
  const end = rest.search(/^## /m)
  const notes = (end === -1 ? rest : rest.slice(0, end)).trim()
  // A heading alone is no release note.
  if (!/^(?!#)\S/m.test(notes)) throw new Error(`CHANGELOG.md has nothing below "${NEXT}".`)
  const older = end === -1 ? '' : `\n${rest.slice(end)}`
  return { changelog: `${before}\n${NEXT}\n\n## ${version} (${date})\n\n${notes}\n${older}`, notes }
}

/** Sets the version in package.json or package-lock.json, and keeps the layout. */
export function withVersion(text, version) {
  const json = JSON.parse(text)
  json.version = version
  if (json.packages) json.packages[''].version = version
  return `${JSON.stringify(json, undefined, 2)}\n`
}
