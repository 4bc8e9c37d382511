/**
 * Runs in the page that is captured, in an isolated world, so it must not use anything outside its body. Captures the
 * page's own tab as H264 and Opus, and sends it in chunks.
 */
export interface CaptureOptions {
  width: number
  height: number
  frameRate: number
  hasPicture: boolean
  codec: 'avc1' | 'vp8'
  videoBitsPerSecond: number
  audioBitsPerSecond: number
  keyFrameIntervalMs: number
  timesliceMs: number
}

export interface CaptureControl {
  /** Sends the chunks that were not sent yet. */
  flush(): Promise<void>
}

/**
 * Called by the page with `c` and a chunk in base64, `s` and the time of the start in ms since the epoch, `r` when the size
 * has changed, or `f` and the reason of a failure.
 */
export const CALL = 'anteroomCapture'

export async function capture(options: CaptureOptions): Promise<void> {
  const world = globalThis as unknown as {
    anteroomCapture: (text: string) => void
    anteroomControl?: CaptureControl
  }
  const { width, height, frameRate, hasPicture } = options
  const call = (text: string): void => world.anteroomCapture(text)
  const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

  const open = async (): Promise<MediaStream> => {
    // The first capture after the start of a browser may fail.
    for (let tries = 0; ; tries++) {
      try {
        return await navigator.mediaDevices.getDisplayMedia({
          video: {
            width,
            height,
            frameRate: { ideal: frameRate, max: frameRate },
            displaySurface: 'browser',
          },
          audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
          preferCurrentTab: true,
          selfBrowserSurface: 'include',
        } as DisplayMediaStreamOptions)
      } catch (error) {
        if (tries >= 20) throw error
        await pause(250)
      }
    }
  }
  const stream = await open()
  // The browser now shows a bar that the tab is captured, which makes the page smaller, so its window must grow.
  let resizes = 0
  addEventListener('resize', () => {
    resizes++
    call('r')
  })
  call('r')
  for (let waits = 0; resizes === 0 && waits < 60; waits++) await pause(50)
  const [picture] = stream.getVideoTracks()
  const fits = (): boolean => {
    const settings = picture?.getSettings()
    return (
      innerWidth === width &&
      innerHeight === height &&
      settings?.width === width &&
      settings.height === height
    )
  }
  // Video that changes its size cannot be encoded.
  for (let [waits, fitting] = [0, 0]; fitting < 6; waits++) {
    if (waits >= 300) throw new Error(`The window is ${innerWidth}x${innerHeight}.`)
    fitting = fits() ? fitting + 1 : 0
    await pause(50)
  }
  if (stream.getAudioTracks().length === 0) throw new Error('The tab is captured without its sound.')
  if (!hasPicture) {
    for (const track of stream.getVideoTracks()) {
      stream.removeTrack(track)
      track.stop()
    }
  }
  const recorder = new MediaRecorder(stream, {
    mimeType: hasPicture ? `video/x-matroska;codecs=${options.codec},opus` : 'audio/webm;codecs=opus',
    videoBitsPerSecond: options.videoBitsPerSecond,
    audioBitsPerSecond: options.audioBitsPerSecond,
    videoKeyFrameIntervalDuration: options.keyFrameIntervalMs,
  } as MediaRecorderOptions)

  const base64 = (blob: Blob): Promise<string> =>
    new Promise((resolve, reject) => {
      const reader = new FileReader()
      reader.onload = () => {
        // The type, which precedes the data, may contain commas.
        const url = reader.result as string
        resolve(url.slice(url.lastIndexOf(',') + 1))
      }
      reader.onerror = () => reject(reader.error!)
      reader.readAsDataURL(blob)
    })
  let order = Promise.resolve()
  recorder.ondataavailable = ({ data }) => {
    if (data.size === 0) return
    const text = base64(data)
    order = order.then(async () => call(`c${await text}`))
  }
  recorder.onerror = (event) =>
    call(`f${String((event as unknown as { error?: Error }).error ?? event.type)}`)
  for (const track of stream.getTracks()) track.onended = () => call(`f The captured ${track.kind} ended.`)
  world.anteroomControl = {
    flush: () =>
      new Promise((resolve) => {
        recorder.addEventListener('dataavailable', () => setTimeout(() => void order.then(resolve), 0), {
          once: true,
        })
        recorder.requestData()
      }),
  }
  recorder.start(options.timesliceMs)
  call(`s${performance.timeOrigin + performance.now()}`)
}
