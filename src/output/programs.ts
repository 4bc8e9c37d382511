/** The programs of the system that compositions need. */
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { whyNoSherpa } from './speech/local/local.ts'
import { readModelFolder } from './speech/local/model-folder.ts'

export interface Programs {
  chromiumBin: string | undefined
  ffmpegBin: string | undefined
}

const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** @param named programs from the settings, which are not looked for elsewhere */
export function findPrograms(named: Programs, path: string): Programs {
  return {
    chromiumBin: find(named.chromiumBin, CHROMIUM, path),
    ffmpegBin: find(named.ffmpegBin, ['ffmpeg'], path),
  }
}

function find(named: string | undefined, names: readonly string[], path: string): string | undefined {
  const places =
    named === undefined
      ? path.split(':').flatMap((folder) => names.map((name) => join(folder, name)))
      : [named]
  return places.find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Names what is missing and the cure, in one sentence; undefined if nothing is missing. */
export function whyUnavailable({ chromiumBin, ffmpegBin }: Programs): string | undefined {
  const missing = [
    ...(chromiumBin === undefined ? ['Chromium'] : []),
    ...(ffmpegBin === undefined ? ['ffmpeg'] : []),
  ]
  if (missing.length === 0) return undefined
  const variables = missing.map((name) => `${name.toUpperCase()}_BIN`)
  return `Recordings, HLS and livestreams need ${missing.join(' and ')}: install ${missing.length > 1 ? 'them' : 'it'}, or set ${variables.join(' and ')}.`
}

const SCRIPTS = { zh: 'Chinese, Japanese and Korean', 'und-zsye': 'emoji' }

/** Returns the scripts for which no font is installed; empty if that cannot be determined. */
export async function missingFonts(): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(SCRIPTS).map(async ([lang, script]) => {
      const fonts = await promisify(execFile)('fc-list', [`:lang=${lang}`, 'family']).catch(() => undefined)
      return fonts?.stdout.trim() === '' ? [script] : []
    }),
  )
  return found.flat()
}

/** Why speech cannot be recognised with the model in a folder: one sentence; undefined if it can. */
export async function whyNoSpeechModel(folder: string): Promise<string | undefined> {
  const model = await readModelFolder(folder)
  return typeof model === 'string' ? model : whyNoSherpa()
}
