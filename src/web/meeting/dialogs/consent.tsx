import type { DeviceRequest } from '../../../client/client.ts'
import { isolated } from '../../isolate.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { useModel } from '../model.ts'
import { text } from '../../texts/texts.ts'

/** A moderator asks for one of our devices. Nothing is sent until we agree. */
export function ConsentDialog({ request, onClose }: { request: DeviceRequest; onClose: () => void }) {
  const { meeting, actions } = useModel()
  const name = meeting.participants.get(request.from)?.name
  const who = name === undefined ? text('consent.moderator') : isolated(name)
  return (
    <Dialog title={text(`consent.${request.device}`, { who })} onClose={onClose}>
      <div className="row" data-testid="consent">
        <button
          onClick={() => {
            request.reject()
            onClose()
          }}
        >
          {text('consent.notNow')}
        </button>
        <button
          className="primary"
          data-testid="consent-accept"
          onClick={() => {
            actions.attempt(() => request.accept())
            onClose()
          }}
        >
          {text('consent.turnOn')}
        </button>
      </div>
    </Dialog>
  )
}
