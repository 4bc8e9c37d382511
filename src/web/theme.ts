/** Dark or light colours: those of the device, unless the person chose others in this browser. */
export const themes = ['device', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const KEY = 'anteroom:theme'

export function keptTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY)
    return themes.find((theme) => theme === kept) ?? 'device'
  } catch {
    return 'device'
  }
}

export function showTheme(theme: Theme = keptTheme()): void {
  document.documentElement.style.colorScheme = theme === 'device' ? '' : theme
}

export function chooseTheme(theme: Theme): void {
  showTheme(theme)
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // A browser that keeps nothing shows those of the device the next time.
  }
}
