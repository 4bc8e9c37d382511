import { withoutControls } from '../isolate.ts'

/** Words of others (a name, an id, an address) in the middle of ours. */
export function Foreign({ text, className }: { text: string; className?: string }) {
  return <bdi className={className}>{withoutControls(text)}</bdi>
}
