/** A small window above all others (Document Picture-in-Picture); only Chromium supports it. */
interface DocumentPictureInPicture {
  requestWindow(options: { width: number; height: number }): Promise<Window>
}

const api = (): DocumentPictureInPicture | undefined =>
  (window as { documentPictureInPicture?: DocumentPictureInPicture }).documentPictureInPicture

export function canFloat(): boolean {
  return api() !== undefined
}

/** Opens the window with the styles of this page. Call it on a click. */
export async function openFloating(): Promise<Window> {
  const opened = await api()!.requestWindow({ width: 400, height: 300 })
  for (const style of document.querySelectorAll('link[rel=stylesheet], style'))
    opened.document.head.append(style.cloneNode(true))
  return opened
}
