/** What to do in this browser about a camera or microphone that cannot be used. */
import type { DeviceProblem } from '../client/client.ts'

export type BrowserKind = 'chrome' | 'firefox' | 'safari' | 'iphone' | 'other'
export type Device = 'camera' | 'microphone'

export function browserOf(userAgent: string): BrowserKind {
  // Every browser on an iPhone or iPad is Safari inside.
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'iphone'
  if (userAgent.includes('Firefox/')) return 'firefox'
  if (/Chrom(e|ium)\//.test(userAgent)) return 'chrome'
  return userAgent.includes('Safari/') ? 'safari' : 'other'
}

type Cure = (device: Device) => string

const denied: Record<BrowserKind, Cure> = {
  chrome: (device) =>
    `Click the icon at the left of the address, switch the ${device} on, and reload the page.`,
  firefox: (device) =>
    `Click the crossed-out ${device} at the left of the address, remove the block, and reload the page.`,
  safari: (device) =>
    `Choose Safari, Settings for This Website, and allow the ${device}. Then reload the page.`,
  iphone: (device) =>
    `Tap the icon at the left of the address, then Website Settings, and allow the ${device}. Then reload the page.`,
  other: (device) => `Allow the ${device} for this page in the settings of the browser, and reload the page.`,
}

const busy: Record<BrowserKind, Cure> = {
  chrome: (device) => `Close other programs and tabs that use the ${device}, and switch it on again here.`,
  firefox: (device) =>
    `Close other programs that use the ${device}, other browsers included, and switch it on again here.`,
  safari: (device) =>
    `Close other programs and Safari windows that use the ${device}, and switch it on again here.`,
  iphone: (device) => `End calls and close apps that use the ${device}, and switch it on again here.`,
  other: (device) => `Close whatever else uses the ${device}, and switch it on again here.`,
}

const missing: Record<BrowserKind, Cure> = {
  chrome: (device) => `Plug a ${device} in, or let Chrome use it in the privacy settings of the computer.`,
  firefox: (device) => `Plug a ${device} in, or let Firefox use it in the privacy settings of the computer.`,
  safari: (device) => `Plug a ${device} in, or allow it in System Settings, Privacy & Security.`,
  iphone: (device) => `Allow the ${device} for Safari in the Settings app.`,
  other: (device) =>
    `Plug a ${device} in, or let the browser use it in the privacy settings of the computer.`,
}

const insecure: Record<BrowserKind, Cure> = {
  chrome: () => 'Chrome gives devices to pages with https:// alone: put that in front of the address.',
  firefox: () => 'Firefox gives devices to pages with https:// alone: put that in front of the address.',
  safari: () => 'Safari gives devices to pages with https:// alone: put that in front of the address.',
  iphone: () => 'Safari gives devices to pages with https:// alone: put that in front of the address.',
  other: () => 'Open this page with https:// in front of the address.',
}

const cures: Record<Exclude<DeviceProblem, 'other'>, Record<BrowserKind, Cure>> = {
  denied,
  busy,
  missing,
  insecure,
}

export function adviceFor(problem: DeviceProblem, device: Device, browser: BrowserKind): string {
  return problem === 'other'
    ? 'Unplug it and plug it in again, or choose another.'
    : cures[problem][browser](device)
}
