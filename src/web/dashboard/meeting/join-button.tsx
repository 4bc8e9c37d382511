import { useEffect, useState } from 'react'
import type { TokenAnswer } from '../../../protocol/rest/tokens.ts'
import { serverUrl } from '../../api.ts'
import { useAction } from '../query.ts'
import { Glyph } from '../parts/glyph.tsx'
import { Failure } from '../parts/states.tsx'
import { useProject } from '../project.tsx'

/** How long the opened window may take to ask for its token. */
const HANDOVER_MS = 30_000

/**
 * Opens the meeting in a window of its own, with a moderator's token that is handed over when that window asks for it, so
 * that no address holds it.
 */
export function JoinButton({ roomId }: { roomId: string }) {
  const { api, project } = useProject()
  const { busy, problem, run } = useAction()
  const [opened, setOpened] = useState<Window>()

  useEffect(() => {
    if (!opened) return
    const answer = async (): Promise<void> => {
      const { token } = await api.admin<TokenAnswer>(
        'POST',
        `/v2/admin/projects/${project.projectId}/token`,
        {
          permissions: ['allow_join', 'allow_mod'],
          roomId,
          roles: ['rtc'],
        },
      )
      opened.postMessage({ type: 'anteroom:token', token, meetingId: roomId }, location.origin)
    }
    const hear = ({ source, origin, data }: MessageEvent<{ type?: string } | null>): void => {
      if (source !== opened || origin !== location.origin || data?.type !== 'anteroom:ready') return
      setOpened(undefined)
      void run(answer)
    }
    window.addEventListener('message', hear)
    const timer = setTimeout(() => setOpened(undefined), HANDOVER_MS)
    return () => {
      window.removeEventListener('message', hear)
      clearTimeout(timer)
    }
  }, [opened, api, project, roomId, run])

  return (
    <>
      <button
        className="primary"
        disabled={busy}
        onClick={() => setOpened(window.open(`${serverUrl}/m/${encodeURIComponent(roomId)}`) ?? undefined)}
      >
        <Glyph name="open" />
        Join as moderator
      </button>
      {problem && <Failure text={problem} />}
    </>
  )
}
