/** A person as the dashboard names them. */
export interface Who {
  participantId: string
  name: string
}

/** Their name, or their id where they have none. */
export const shownName = ({ name, participantId }: Who): string => name || participantId
