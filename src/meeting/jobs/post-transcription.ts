/** The text of a recording, which is asked for when the recording starts (contract, outputs §3.5). Pure. */
import { Compile } from 'typebox/compile'
import type { TranscriptionConfig } from '../../output/output.ts'
import type { OutputFileRecord, OutputRecord } from '../../store/store.ts'
import type { JobOrdered } from './jobs.ts'
import { TranscriptOfRecording } from '../../protocol/outputs.ts'

const asked = Compile(TranscriptOfRecording)

/** What to make of an output that has ended, if a text was asked for and there is something to hear. */
export function postTranscriptionOrder(output: OutputRecord): JobOrdered | undefined {
  const { outputId, projectId, meetingId, sessionId, baseUrl, webhookUrl, apiKey, config } = output
  const { transcription } = config
  const file = audible(output.files)
  if (!file || !asked.Check(transcription) || transcription.enabled !== true) return undefined
  const { modelId, language, summary } = transcription
  const wanted: TranscriptionConfig = {
    modelId: modelId ?? undefined,
    language: language ?? undefined,
    summary: summary?.enabled === true ? { prompt: summary.prompt ?? undefined } : undefined,
  }
  return {
    kind: 'post-transcription',
    projectId,
    meetingId,
    sessionId,
    outputId,
    // It lies beside the recording.
    config: { ...wanted, ...(config.dirPath !== undefined && { dirPath: config.dirPath }) },
    inputs: [{ outputId, file, participantId: null, participantName: null, group: 0 }],
    baseUrl,
    webhookUrl,
    apiKey,
  }
}

/** The whole recording, or else the playlist of what was streamed. */
function audible(files: readonly OutputFileRecord[]): OutputFileRecord | undefined {
  return (
    files.find(({ type }) => type === 'video' || type === 'audio') ??
    files.find(({ path }) => path === 'index.m3u8')
  )
}
