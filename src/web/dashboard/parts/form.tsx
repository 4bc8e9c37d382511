import { createContext, use, type ReactNode } from 'react'

const BusyContext = createContext(false)

/** A form that is sent once: until it is answered nothing in it can be changed, for what is changed then would be lost. */
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

/** Whether the form that holds this is on its way. */
export function useBusy(): boolean {
  return use(BusyContext)
}
