/**
 * Finds what to change in one file of an app so that it uses its own server: text in, findings out. It looks for the calls
 * and addresses that the published samples use; it cannot see what is built at run time.
 */

/** A place to change or to look at. */
export interface Finding {
  /** Counted from 1. */
  line: number
  /** The code at that place, shortened to one line. */
  text: string
  /** What to do, in one sentence. */
  advice: string
  /** The change itself, if it needs no decision. */
  edit?: { at: number; remove: number; insert: string }
}

/** An SDK, as a file names it. */
export interface SdkUse {
  line: number
  sdk: 'js-sdk' | 'react-sdk' | 'server-sdk' | 'react-native-sdk' | 'rtc-js-prebuilt'
  version: string
}

export interface FileReport {
  sdks: SdkUse[]
  findings: Finding[]
  /** Calls of services that the server refuses. */
  absent: { line: number; call: string }[]
}

/** Hosts of the hosted service's API that samples have named. */
const API_HOST = /\b(https?:\/\/)(api\.videosdk\.live|api\.zujonow\.com)\b/g
const INIT_CALL = /\binitMeeting\s*\(/g
const PROVIDER = /<MeetingProvider\b/g
const PREBUILT = /\bnew\s+VideoSDKMeeting\s*\(/g
const PACKAGE =
  /["']@videosdk\.live\/(js-sdk|react-sdk|server-sdk|react-native-sdk|rtc-js-prebuilt)["']\s*:\s*["']([^"']+)["']/g
const SCRIPT = /\bsdk\.videosdk\.live\/(js-sdk|rtc-js-prebuilt)\/(\d[^/"'\s]*)\//g
const ABSENT =
  /\b(startRecording|startLivestream|startLiveStream|startHls|startTranscription|startTranslation|startWhiteboard)\s*\(/g

/**
 * @param server host, with a port if it needs one, as in `meet.example.org:9443`
 * @param callsSdk whether the file may call one of the web SDKs; in other languages only addresses are looked for
 */
export function examine(text: string, server: string, callsSdk = true): FileReport {
  const lineAt = lines(text)
  const report: FileReport = { sdks: [], findings: [], absent: [] }
  const add = (at: number, advice: string, edit?: Finding['edit']): void => {
    report.findings.push({ line: lineAt(at), text: lineText(text, at), advice, ...(edit && { edit }) })
  }
  for (const pattern of [PACKAGE, SCRIPT])
    for (const { index, 1: sdk, 2: version } of text.matchAll(pattern))
      report.sdks.push({ line: lineAt(index), sdk: sdk as SdkUse['sdk'], version: version! })
  for (const { index, 0: found, 1: scheme, 2: host } of text.matchAll(API_HOST)) {
    add(index, `Call https://${server} instead of ${host}.`, {
      at: index,
      remove: found.length,
      insert: `${scheme}${server}`,
    })
  }
  if (!callsSdk) return report
  for (const { index, 0: found } of text.matchAll(INIT_CALL)) {
    const open = index + found.length
    if (isOwnFunction(text, open)) continue
    addOption(text, open, server, 'initMeeting', add)
  }
  for (const { index } of text.matchAll(PROVIDER)) {
    const config = /config\s*=\s*\{/.exec(text.slice(index, index + 4000))
    if (!config) add(index, `Give its config signalingBaseUrl: '${server}'.`)
    else addOption(text, index + config.index + config[0].length, server, 'MeetingProvider', add)
  }
  for (const { index, 0: found } of text.matchAll(PREBUILT)) {
    add(
      index,
      `${found.trim()}…) loads a page of the hosted service; set embedBaseUrl to a copy of the prebuilt page that you host, and apiBaseUrl to https://${server}.`,
    )
  }
  for (const { index, 1: call } of text.matchAll(ABSENT))
    report.absent.push({ line: lineAt(index), call: call! })
  report.findings.sort((a, b) => a.line - b.line)
  return report
}

/** Whether `initMeeting(` is the app's own function: declared in this file or called without options. */
function isOwnFunction(text: string, open: number): boolean {
  const [line = ''] = text.slice(open, open + 200).split('\n')
  return /^\s*\)/.test(line) || /^[^{]*\)\s*(:\s*[\w<>]+\s*)?\{/.test(line)
}

/** Applies all edits to the text. */
export function applyEdits(text: string, findings: readonly Finding[]): string {
  const edits = findings.flatMap(({ edit }) => (edit ? [edit] : [])).sort((a, b) => b.at - a.at)
  let changed = text
  for (const { at, remove, insert } of edits)
    changed = changed.slice(0, at) + insert + changed.slice(at + remove)
  return changed
}

function addOption(
  text: string,
  from: number,
  server: string,
  call: string,
  add: (at: number, advice: string, edit?: Finding['edit']) => void,
): void {
  const open = /^\s*\{/.exec(text.slice(from))
  if (!open) {
    add(from, `Add signalingBaseUrl: '${server}' to the options of ${call}.`)
    return
  }
  const at = from + open[0].length
  const body = text.slice(at, closing(text, at))
  const there = /\bsignalingBaseUrl\s*:\s*(["'`])([^"'`]*)\1/.exec(body)
  if (there?.[2] === server || (!there && /\bsignalingBaseUrl\b/.test(body))) return
  if (there) {
    const value = at + there.index + there[0].length - there[2]!.length - 1
    add(value, `Set signalingBaseUrl to '${server}'.`, {
      at: value,
      remove: there[2]!.length,
      insert: server,
    })
  } else
    add(from, `Add signalingBaseUrl: '${server}'.`, {
      at,
      remove: 0,
      insert: ` signalingBaseUrl: "${server}",`,
    })
}

/** The position of the brace that closes the one opened before `at`; skips strings and comments. */
function closing(text: string, at: number): number {
  let depth = 1
  for (let i = at; i < text.length; i++) {
    const c = text[i]!
    if (c === '{') depth++
    else if (c === '}' && --depth === 0) return i
    else if (c === '/' && text[i + 1] === '/') i = endOf(text, '\n', i)
    else if (c === '/' && text[i + 1] === '*') i = endOf(text, '*/', i)
    else if (c === '"' || c === "'") i = endOfQuote(text, i)
  }
  return text.length
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from + 2)
  return found === -1 ? text.length : found + mark.length - 1
}

function endOfQuote(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    // An apostrophe in text between tags is not a quote.
    else if (text[i] === text[from] || text[i] === '\n') return i
  }
  return text.length
}

function lines(text: string): (at: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (at) => {
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return low + 1
  }
}

const SHOWN = 120

function lineText(text: string, at: number): string {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const end = text.indexOf('\n', at)
  const line = text.slice(start, end === -1 ? undefined : end).trim()
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
}
