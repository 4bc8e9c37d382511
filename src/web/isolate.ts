/**
 * Words of others beside our own: a name in a script that is written from right to left must not turn the sentence around
 * it. In markup `<Foreign>` holds them apart; in a plain string (a title, a notice, an option) `isolated` does.
 *
 * An `aria-label` needs neither: it is read aloud in its logical order, and some readers speak the controls.
 */

/** Embeddings, overrides and isolates, by which a text would reach beyond its own end. */
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g

export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '')
}

/** @returns the text between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE */
export function isolated(text: string): string {
  return `\u2068${withoutControls(text)}\u2069`
}
