// Makes a release: `npm run release -- <patch|minor|major|1.2.3> --tested [--dry-run]`.
// Sets the version, dates the changelog, commits both and tags the commit. It pushes and publishes nothing.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { released, versionAsked, withVersion } from './rules.mjs'

const HELP = `usage: npm run release -- <patch|minor|major|version> --tested [--dry-run]

  --tested   says that .ci/run passed on this commit; without it nothing is released
  --dry-run  prints what would change, and changes nothing`

function git(...parameters) {
  return execFileSync('git', parameters, { encoding: 'utf8' }).trim()
}

function release() {
  const { values, positionals } = parseArgs({
    options: { tested: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  })
  if (values.help) return HELP
  if (positionals.length !== 1) throw new Error(HELP)
  if (git('status', '--porcelain') !== '') throw new Error('Commit or remove what git status shows first.')
  if (!values.tested) throw new Error('Run .ci/run on this commit, and say --tested when it passed.')

  const texts = ['package.json', 'package-lock.json'].map((file) => ({
    file,
    text: readFileSync(file, 'utf8'),
  }))
  const { version: current } = JSON.parse(texts[0].text)
  const tags = git('tag', '--list').split('\n')
  const version = versionAsked(positionals[0], current, tags.includes(`v${current}`))
  const tag = `v${version}`
  if (tags.includes(tag)) throw new Error(`There is a tag ${tag} already.`)
  const date = new Date().toISOString().slice(0, '2026-01-31'.length)
  const { changelog, notes } = released(readFileSync('CHANGELOG.md', 'utf8'), version, date)

  if (values['dry-run'])
    return `Would set the version ${version} (now ${current}), commit it and tag it ${tag}, with these notes:\n\n${notes}`
  for (const { file, text } of texts) writeFileSync(file, withVersion(text, version))
  writeFileSync('CHANGELOG.md', changelog)
  git('commit', '--quiet', '--all', '--message', `release: ${version}`)
  git('tag', '--annotate', tag, '--cleanup=verbatim', '--message', `${version}\n\n${notes}`)
  return `Committed and tagged ${version} in this checkout. To publish it: git push --follow-tags`
}

try {
  console.log(release())
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
