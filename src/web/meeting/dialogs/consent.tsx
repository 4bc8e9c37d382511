import type { DeviceRequest } from '../../../client/client.ts'
import { isolated } from '../../isolate.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { useModel } from '../model.ts'

const asked: Record<DeviceRequest['device'], string> = {
  mic: 'turn on your microphone',
  camera: 'turn on your camera',
  share: 'share your screen',
}

/** A moderator asks for one of our devices. Nothing is sent until we agree. */
export function ConsentDialog({ request, onClose }: { request: DeviceRequest; onClose: () => void }) {
  const { meeting, actions } = useModel()
  const name = meeting.participants.get(request.from)?.name
  const who = name === undefined ? 'A moderator' : isolated(name)
  return (
    <Dialog title={`${who} asks you to ${asked[request.device]}`} onClose={onClose}>
      <div className="row" data-testid="consent">
        <button
          onClick={() => {
            request.reject()
            onClose()
          }}
        >
          Not now
        </button>
        <button
          className="primary"
          data-testid="consent-accept"
          onClick={() => {
            actions.attempt(() => request.accept())
            onClose()
          }}
        >
          Turn on
        </button>
      </div>
    </Dialog>
  )
}
