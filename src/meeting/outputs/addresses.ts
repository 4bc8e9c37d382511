import type { OutputRecord } from '../../store/store.ts'

/** The first part of the path of every file of an output. */
export const OUTPUTS_PATH = '/outputs'

/** Where anybody who was given it fetches a file of an output. Nobody can guess it, and it ends when the output is deleted. */
export function fileAddress(
  { baseUrl, outputId, secret }: Pick<OutputRecord, 'baseUrl' | 'outputId' | 'secret'>,
  path: string,
): string {
  const parts = path.split('/').map(encodeURIComponent).join('/')
  return `${baseUrl}${OUTPUTS_PATH}/${outputId}/${secret}/${parts}`
}
