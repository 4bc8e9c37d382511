import { useNotice } from './notices.tsx'

/** A text with a copy button. If the browser refuses to copy, the text is selected instead. */
export function CopyField({ label, value, id }: { label: string; value: string; id: string }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="row">
        <input
          id={id}
          className="code"
          readOnly
          value={value}
          autoComplete="off"
          spellCheck={false}
          onFocus={(event) => event.target.select()}
        />
        <CopyButton what={label} value={value} />
      </div>
    </div>
  )
}

export function CopyButton({ what, value }: { what: string; value: string }) {
  const say = useNotice()
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(value)
      say(`${what} copied.`)
    } catch {
      say('This browser does not let pages copy; select the text and copy it yourself.')
    }
  }
  return (
    <button type="button" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      Copy
    </button>
  )
}
