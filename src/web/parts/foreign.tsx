import { withoutControls } from '../isolate.ts'

/** Isolates text of others (a name, an id, an address) within our text. */
export function Foreign({ text, className }: { text: string; className?: string }) {
  return <bdi className={className}>{withoutControls(text)}</bdi>
}
