/** What is wrong with a camera or microphone that cannot be used, and what to do about it in this browser. */
import type { DeviceProblem } from '../client/client.ts'
import { text } from './texts/texts.ts'

export type BrowserKind = 'chrome' | 'firefox' | 'safari' | 'iphone' | 'other'
export type Device = 'camera' | 'microphone'

export function browserOf(userAgent: string): BrowserKind {
  // Every browser on an iPhone or iPad is Safari inside.
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'iphone'
  if (userAgent.includes('Firefox/')) return 'firefox'
  if (/Chrom(e|ium)\//.test(userAgent)) return 'chrome'
  return userAgent.includes('Safari/') ? 'safari' : 'other'
}

const names: Record<Exclude<BrowserKind, 'other'>, string> = {
  chrome: 'Chrome',
  firefox: 'Firefox',
  safari: 'Safari',
  iphone: 'Safari',
}

export function problemOf(problem: DeviceProblem, device: Device): string {
  return text(`advice.what.${problem}`, { device })
}

export function adviceFor(problem: DeviceProblem, device: Device, browser: BrowserKind): string {
  if (problem === 'denied') return text(`advice.denied.${browser}`, { device })
  if (problem === 'busy') return text(`advice.busy.${browser}`, { device })
  if (problem === 'missing')
    return browser === 'chrome' || browser === 'firefox'
      ? text('advice.missing.computer', { device, browser: names[browser] })
      : text(`advice.missing.${browser}`, { device })
  if (problem === 'insecure')
    return browser === 'other'
      ? text('advice.insecure.other')
      : text('advice.insecure.browser', { browser: names[browser] })
  return text('advice.other')
}
