import { useEffect, useRef, useState } from 'react'
import type { SharedFile } from '../../client/client.ts'
import { Foreign } from '../parts/foreign.tsx'
import { text, useLanguage } from '../texts/texts.ts'
import { mayBePicture, saveAs, sizeText } from './chat-files.ts'
import { useModel } from './model.ts'

/** A file in a message: its name, its size, and the picture if it is one. */
export function ChatFile({ file }: { file: SharedFile }) {
  const { meeting, actions } = useModel()
  const language = useLanguage()
  const save = async (): Promise<void> => saveAs(await meeting.files.fetch(file), file.name)
  return (
    <div className="file" data-testid="file">
      {mayBePicture(file) && <Picture file={file} />}
      <button
        aria-label={text('chat.file.save', { name: file.name })}
        onClick={() => actions.attempt(save)}
        data-testid="save-file"
      >
        <span aria-hidden="true">↓</span> <Foreign text={file.name} />
      </button>
      <small className="quiet">{sizeText(file.bytes, language)}</small>
    </div>
  )
}

/** Fetched when it comes near the screen, into a frame whose height is known before. */
function Picture({ file }: { file: SharedFile }) {
  const { pictures } = useModel()
  const frame = useRef<HTMLDivElement>(null)
  const [address, setAddress] = useState<string | null>()
  useEffect(() => {
    let isGone = false
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return
      observer.disconnect()
      void pictures.addressOf(file).then((found) => {
        if (!isGone) setAddress(found ?? null)
      })
    })
    observer.observe(frame.current!)
    return () => {
      isGone = true
      observer.disconnect()
    }
  }, [pictures, file])
  if (address === null) return null
  return (
    <div className="picture" ref={frame}>
      {address !== undefined && <img src={address} alt={file.name} data-testid="picture" />}
    </div>
  )
}

/** The files that go with the message that is being written. */
export function AttachedFiles({
  files,
  onRemove,
}: {
  files: readonly File[]
  onRemove: (file: File) => void
}) {
  const language = useLanguage()
  if (files.length === 0) return null
  return (
    <ul className="attached" aria-label={text('chat.file.attached')} data-testid="attached">
      {files.map((file, at) => (
        <li key={at}>
          <Foreign text={file.name} /> <small className="quiet">{sizeText(file.size, language)}</small>
          <button
            type="button"
            aria-label={text('chat.file.remove', { name: file.name })}
            onClick={() => onRemove(file)}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  )
}
