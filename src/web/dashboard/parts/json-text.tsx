import { Foreign } from '../../parts/foreign.tsx'

const STRINGS = /("(?:[^"\\]|\\.)*")/
/** What would change the order of what follows. */
const CONTROLS = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g

/** JSON as it is written; each of its texts is held apart from the punctuation and the other texts around it. */
export function JsonText({ json }: { json: string }) {
  return json
    .replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .split(STRINGS)
    .map((part, at) => (at % 2 === 1 ? <Foreign key={at} text={part} /> : part))
}
