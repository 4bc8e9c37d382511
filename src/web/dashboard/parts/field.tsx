import { useId, type ComponentProps, type ReactNode } from 'react'
import { useBusy } from './form.tsx'

/** A labelled text field with a hint. */
export function Field({
  label,
  hint,
  ...input
}: { label: string; hint?: ReactNode } & Omit<ComponentProps<'input'>, 'id'>) {
  const id = useId()
  const busy = useBusy()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        autoComplete="off"
        dir={input.type === undefined ? 'auto' : undefined}
        aria-describedby={hint ? `${id}-hint` : undefined}
        readOnly={busy}
        {...input}
      />
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

export function Lines({
  label,
  hint,
  ...area
}: { label: string; hint?: ReactNode } & Omit<ComponentProps<'textarea'>, 'id'>) {
  const id = useId()
  const busy = useBusy()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        rows={3}
        dir="auto"
        readOnly={busy}
        spellCheck={false}
        autoComplete="off"
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...area}
      />
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

export function Choice({
  label,
  options,
  ...select
}: { label: string; options: readonly (readonly [value: string, shown: string])[] } & Omit<
  ComponentProps<'select'>,
  'id' | 'children'
>) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} {...select}>
        {options.map(([value, shown]) => (
          <option key={value} value={value} dir="auto">
            {shown}
          </option>
        ))}
      </select>
    </div>
  )
}
