/**
 * Keeps the focus near its place when the control that has it disappears, as "Let in" does after the answer. Otherwise
 * a keyboard and a screen reader would start anew at the top of the page.
 *
 * The focus moves to what the control was in: a group, a dialog, a panel. It moves to no other control, because a second
 * press of Enter would press that one. If all of it has disappeared, the focus goes back to where it came from.
 */
const PLACES = 'fieldset, dialog, aside, section, [role=group], [role=dialog]'

/** What the focus is in, the innermost first. */
function placesOf(control: Element): HTMLElement[] {
  const places: HTMLElement[] = []
  for (let at = control.parentElement; at; at = at.parentElement)
    if (at instanceof HTMLElement && at.matches(PLACES)) places.push(at)
  return places
}

export function keepFocus(): void {
  let control: Element | undefined
  let places: HTMLElement[] = []
  /** Where the focus was before it came into a place. */
  const before = new WeakMap<HTMLElement, HTMLElement>()
  document.addEventListener('focusin', ({ target, relatedTarget }) => {
    if (!(target instanceof Element) || target === control) return
    control = target
    places = placesOf(target)
    const outermost = places.at(-1)
    // A dialog gives the focus back, and is no place to return to.
    if (!outermost || !(relatedTarget instanceof HTMLElement) || relatedTarget.closest('dialog')) return
    if (!outermost.contains(relatedTarget)) before.set(outermost, relatedTarget)
  })
  new MutationObserver(() => {
    if (!control || control.isConnected) return
    control = undefined
    const { activeElement } = document
    // Whoever removed the control may have given the focus to another.
    if (activeElement && activeElement !== document.body) return
    const place = places.find((one) => one.isConnected)
    if (place && place.tabIndex < 0) place.tabIndex = -1
    const outermost = places.at(-1)
    ;(place ?? (outermost && before.get(outermost)))?.focus({ preventScroll: true })
  }).observe(document.body, { childList: true, subtree: true })
}
