import { useSyncExternalStore } from 'react'
import type { View } from './view.ts'

/** The value of a view; the component redraws when it changes. The view must be the same one on every render. */
export function useView<T>(view: View<T>): T {
  return useSyncExternalStore(view.subscribe, view.get)
}
