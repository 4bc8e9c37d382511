import { useSyncExternalStore } from 'react'
import type { View } from './view.ts'

/**
 * Returns the value of a view, and redraws the component when it changes. The view must be the same object on every
 * render.
 */
export function useView<T>(view: View<T>): T {
  return useSyncExternalStore(view.subscribe, view.get)
}
