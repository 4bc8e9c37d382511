import { useEffect, useRef } from 'react'
import { text } from '../texts/texts.ts'

/** Shows the level of our microphone, so that people see that it works. */
export function LevelMeter({ track }: { track: MediaStreamTrack | undefined }) {
  const bar = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!track) return
    const context = new AudioContext()
    const analyser = context.createAnalyser()
    analyser.fftSize = 512
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    let frame = 0
    const draw = (): void => {
      analyser.getFloatTimeDomainData(samples)
      const loudness = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
      bar.current?.style.setProperty('--level', String(Math.min(1, loudness * 5)))
      frame = requestAnimationFrame(draw)
    }
    draw()
    return () => {
      cancelAnimationFrame(frame)
      void context.close()
    }
  }, [track])
  return <div ref={bar} className="level" role="img" aria-label={text(track ? 'mic.level' : 'mic.off')} />
}
