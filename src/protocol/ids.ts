/** A meeting id: three dash-separated groups of four (contract, rest-and-tokens §4.1). */
export const meetingIdPattern = '^[a-z0-9]{4}(-[a-z0-9]{4}){2}$'

/** A participant id: 1 to 128 characters without white space (4004 otherwise). */
export const participantIdPattern = '^\\S{1,128}$'

const participantId = new RegExp(participantIdPattern, 'u')

export function isParticipantId(value: unknown): value is string {
  return typeof value === 'string' && participantId.test(value)
}
