import { useEffect, type RefObject } from 'react'
import type { Stream } from '../../client/client.ts'
import { useModel } from './model.ts'

/** Reports how wide the element shows the stream while it is on the screen. @param floats see `ShownPictures.place` */
export function useShown(
  element: RefObject<HTMLElement | null>,
  stream: Stream | undefined,
  floats = false,
): void {
  const { shown } = useModel()
  useEffect(() => {
    const place = element.current
    if (!place || !stream) return
    let [width, isOnScreen] = [0, false]
    const say = (): void =>
      shown.place(place, stream, isOnScreen ? Math.round(width * devicePixelRatio) : 0, floats)
    const sizes = new ResizeObserver(([entry]) => {
      if (entry) width = entry.contentRect.width
      say()
    })
    const sight = new IntersectionObserver((entries) => {
      isOnScreen = entries.at(-1)?.isIntersecting ?? false
      say()
    })
    sizes.observe(place)
    sight.observe(place)
    return () => {
      sizes.disconnect()
      sight.disconnect()
      shown.place(place, stream, 0)
    }
  }, [element, stream, shown, floats])
}
