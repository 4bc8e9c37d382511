import { useId, type ComponentProps, type ReactNode } from 'react'

/** A labelled text field with a hint. */
export function Field({
  label,
  hint,
  ...input
}: { label: string; hint?: ReactNode } & Omit<ComponentProps<'input'>, 'id'>) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} autoComplete="off" aria-describedby={hint ? `${id}-hint` : undefined} {...input} />
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
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        rows={3}
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
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
    </div>
  )
}
