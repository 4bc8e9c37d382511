import type { MouseEvent } from 'react'

/**
 * For a button in a list that moves up after a click: the second half of a double click would hit the next button,
 * which nobody has chosen.
 */
export function clickedOnce(act: () => void): (event: MouseEvent) => void {
  return ({ detail }) => {
    if (detail <= 1) act()
  }
}
