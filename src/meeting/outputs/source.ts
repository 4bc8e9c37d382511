/** A session as an output sees it. */
import type { OutputSeat, OutputSource } from '../../output/output.ts'
import type { Chat } from '../chat/chat.ts'
import type { Onlooker } from '../roster/member.ts'
import type { Roster } from '../roster/roster.ts'

export interface SourceOptions extends Pick<OutputSource, 'projectId' | 'meetingId' | 'sessionId'> {
  outputId: string
  roster: Roster
  attach: (onlooker: Onlooker) => () => void
  openSeat: (name: string) => Promise<OutputSeat>
  chat: Pick<Chat, 'listen'>
}

export function sourceOf({ outputId, roster, attach, openSeat, chat, ...ids }: SourceOptions): OutputSource {
  return {
    ...ids,
    openSeat,
    listen: (topic, hear) =>
      chat.listen(({ topic: of, message: text, at }) => {
        if (of === topic) hear({ at, text })
      }),
    participants: () => roster.joined().map(({ id: participantId, name }) => ({ participantId, name })),
    watch: (watcher) =>
      attach({
        id: outputId,
        name: 'Output',
        kind: 'egress',
        isVisible: false,
        sends: false,
        receives: true,
        tell: (notification) => watcher.tell(notification),
        offer: (stream) => watcher.offer(stream),
        withdraw: (producerId) => watcher.withdraw(producerId),
        close: () => watcher.close(),
      }),
  }
}
