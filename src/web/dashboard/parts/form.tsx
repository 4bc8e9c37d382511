import { createContext, use, type ReactNode } from 'react'

const BusyContext = createContext(false)

/** A form that is disabled until its request is answered, so that no change is lost. */
export function Form({
  busy,
  onSubmit,
  children,
}: {
  busy: boolean
  onSubmit: () => void
  children: ReactNode
}) {
  return (
    <form
      className="form"
      aria-busy={busy}
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit()
      }}
    >
      <BusyContext value={busy}>{children}</BusyContext>
    </form>
  )
}

/** Whether the form around this component waits for its answer. */
export function useBusy(): boolean {
  return use(BusyContext)
}
