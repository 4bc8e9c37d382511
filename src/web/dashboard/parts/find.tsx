import { useId, useState } from 'react'

/** A search field, whose text becomes a filter on submit. */
export function Find({
  label,
  value,
  onFind,
}: {
  label: string
  value: string
  onFind: (text: string) => void
}) {
  const id = useId()
  const [text, setText] = useState(value)
  return (
    <form
      className="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        onFind(text.trim())
      }}
    >
      <label htmlFor={id} className="visually-hidden">
        {label}
      </label>
      <input
        id={id}
        type="search"
        placeholder={label}
        autoComplete="off"
        dir="auto"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          // The field's own clear button.
          if (event.target.value === '' && value !== '') onFind('')
        }}
      />
      <button>Find</button>
    </form>
  )
}
