// Links the pinned Node where npm's scripts look first. npm omits the link of a package that has builds for other
// platforms too.
import { existsSync, lstatSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REQUIRED_MAJOR = 24
const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
const pinned = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node')
const link = join(modules, '.bin', 'node')

if (existsSync(pinned)) {
  if (!existsSync(link)) {
    if (lstatSync(link, { throwIfNoEntry: false })) unlinkSync(link)
    symlinkSync(join('..', `node-${process.platform}-${process.arch}`, 'bin', 'node'), link)
  }
} else if (Number(process.versions.node.split('.')[0]) < REQUIRED_MAJOR) {
  console.log(
    `Anteroom needs Node ${REQUIRED_MAJOR}; npm has none pinned for ${process.platform} on ${process.arch}, and this is ${process.version}: install Node ${REQUIRED_MAJOR} and run this again.`,
  )
}
