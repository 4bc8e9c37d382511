/** How the dashboard names a person. */
export interface Who {
  participantId: string
  name: string
}

/** The name, or the id of somebody without a name. */
export const shownName = ({ name, participantId }: Who): string => name || participantId
