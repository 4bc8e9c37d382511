import { useState } from 'react'
import { mayNotify } from '../attention.ts'

/** Lets the browser notify while the page is hidden; there only while the person has not decided. */
export function NotifyChoice({ text }: { text: string }) {
  const [permission, setPermission] = useState(mayNotify)
  if (permission !== 'default') return null
  return (
    <button
      onClick={() => {
        void Notification.requestPermission().then(setPermission)
      }}
    >
      {text}
    </button>
  )
}
