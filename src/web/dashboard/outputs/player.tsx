import { useEffect, useRef, useState } from 'react'
import { Dialog } from '../../parts/dialog.tsx'
import type { Playable } from './kinds.ts'

const HLS_TYPE = 'application/vnd.apple.mpegurl'

/** Plays an output. Loads a library for HLS only in browsers that cannot play it. */
export function Player({ title, plays, onClose }: { title: string; plays: Playable; onClose: () => void }) {
  const video = useRef<HTMLVideoElement>(null)
  const [problem, setProblem] = useState('')
  const { address, type } = plays

  useEffect(() => {
    const element = video.current!
    if (type !== 'hls' || element.canPlayType(HLS_TYPE) !== '') {
      element.src = address
      return
    }
    let end = (): void => undefined
    let isOver = false
    void import('hls.js').then(({ default: Hls }) => {
      if (isOver) return
      const player = new Hls({ enableWorker: false })
      end = () => player.destroy()
      player.on(Hls.Events.ERROR, (_event, { fatal }) => {
        if (fatal) setProblem('It cannot be played here.')
      })
      player.loadSource(address)
      player.attachMedia(element)
    })
    return () => {
      isOver = true
      end()
    }
  }, [address, type])

  return (
    <Dialog title={title} onClose={onClose}>
      <video
        ref={video}
        className={type === 'audio' ? 'player sound' : 'player'}
        controls
        autoPlay
        playsInline
        onError={() =>
          setProblem('It cannot be played here. It may have been deleted, or the store of files is away.')
        }
      />
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="dialog-foot">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
