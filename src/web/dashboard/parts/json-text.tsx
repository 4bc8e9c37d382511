import { Foreign } from '../../parts/foreign.tsx'

const STRINGS = /("(?:[^"\\]|\\.)*")/
/** Characters that change the direction of the text after them. */
const CONTROLS = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g

/** Shows JSON. Each string is isolated, so that its writing direction does not affect the text around it. */
export function JsonText({ json }: { json: string }) {
  return json
    .replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .split(STRINGS)
    .map((part, at) => (at % 2 === 1 ? <Foreign key={at} text={part} /> : part))
}
