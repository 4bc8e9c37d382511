import { useEffect, useState } from 'react'
import { whoIsInside, type Pass } from '../api.ts'
import { insideSentence } from '../inside-sentence.ts'

const AGAIN_MS = 10_000

/** Who is in the meeting, for those whose pass lets them know: whoever joins directly. */
export function WhoIsInside({ pass }: { pass: Pass }) {
  const [inside, setInside] = useState('')
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    const ask = async (): Promise<void> => {
      const found = await whoIsInside(pass).catch(() => undefined)
      if (isOver || !found) return
      setInside(insideSentence(found))
      timer = setTimeout(() => void ask(), AGAIN_MS)
    }
    if (pass.entry !== 'ask') void ask()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [pass])
  if (inside === '') return null
  return (
    <p className="quiet" role="status" dir="auto" data-testid="inside">
      {inside}
    </p>
  )
}
