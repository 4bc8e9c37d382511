/**
 * Isolates text that people wrote within our sentences: a name in a right-to-left script must not reorder the sentence
 * around it. Use `<Foreign>` in markup, and `isolated` in a plain string (a title, a notice, an option).
 *
 * An `aria-label` needs neither: it is read aloud in its logical order, and some screen readers read the control
 * characters aloud.
 */

/** Embeddings, overrides and isolates, with which a text could affect what follows it. */
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g

export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '')
}

/** @returns the text between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE */
export function isolated(text: string): string {
  return `\u2068${withoutControls(text)}\u2069`
}
