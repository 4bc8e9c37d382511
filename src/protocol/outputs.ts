/** What may be asked of outputs: the configurations of recordings, HLS, livestreams and transcriptions (contract, outputs §2). */
import { Type, type Static, type TSchema } from 'typebox'

/** Apps are told to pass null for what they do not set. */
export const optional = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
const oneOf = <const T extends readonly string[]>(...values: T) =>
  Type.Unsafe<T[number]>(Type.Enum([...values]))
export const Url = Type.String({ minLength: 1, maxLength: 2048 })

/** What S3, file systems and addresses all take as it is, and no part of which leads out of a folder. */
const DIR_PART = "[A-Za-z0-9_!'()*+=,@&$-](?:[A-Za-z0-9_.!'()*+=,@&$ -]*[A-Za-z0-9_.!'()*+=,@&$-])?"
const DIR_PATH = `^/*(?:${DIR_PART}(?:/${DIR_PART})*)?/*$`
const DirPath = Type.String({ maxLength: 512 })
export const CheckedDirPath = Type.String({ maxLength: 512, pattern: DIR_PATH })

/** A folder that the starter of an output wants its files in, without slashes at its ends; undefined if it is none. */
export function readDirPath(dirPath: string): string | undefined {
  return new RegExp(DIR_PATH).test(dirPath) ? dirPath.replace(/^\/+|\/+$/g, '') : undefined
}

const LayoutConfig = Type.Object({
  type: optional(oneOf('GRID', 'SPOTLIGHT', 'SIDEBAR')),
  priority: optional(oneOf('SPEAKER', 'PIN')),
  gridSize: optional(Type.Number({ minimum: 0, maximum: 25 })),
})

/** How a composition looks. */
export const CompositionConfig = Type.Object({
  layout: optional(LayoutConfig),
  theme: optional(oneOf('DARK', 'LIGHT', 'DEFAULT')),
  mode: optional(oneOf('video-and-audio', 'audio')),
  quality: optional(oneOf('low', 'med', 'high', 'ultra')),
  orientation: optional(oneOf('landscape', 'portrait')),
  recording: optional(Type.Object({ enabled: optional(Type.Boolean()) })),
})
export type CompositionConfig = Static<typeof CompositionConfig>

/** A text made from the recording after it ended. */
export const TranscriptOfRecording = Type.Object({
  enabled: optional(Type.Boolean()),
  modelId: optional(Type.String({ maxLength: 200 })),
  language: optional(Type.String({ maxLength: 35, description: 'BCP 47.' })),
  summary: optional(
    Type.Object({ enabled: optional(Type.Boolean()), prompt: optional(Type.String({ maxLength: 4000 })) }),
  ),
})

/** The data of `startRecording`. */
export const StartRecording = Type.Object({
  webhookUrl: optional(Url),
  awsDirPath: optional(DirPath),
  config: optional(CompositionConfig),
  transcription: optional(TranscriptOfRecording),
})

/** The target of a livestream is `url`, a slash, and `streamKey`. */
export const LivestreamOutput = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 2048 }),
  streamKey: optional(Type.String({ maxLength: 1024 })),
})

export const LivestreamOutputs = Type.Array(LivestreamOutput, { minItems: 1, maxItems: 10 })

export const StartLivestream = Type.Object({
  outputs: Type.Optional(
    Type.Unknown({ description: '1 to 10 of `{ url, streamKey }`; refused with 4015 otherwise.' }),
  ),
  config: optional(CompositionConfig),
})

export const StartHls = Type.Object({
  config: optional(CompositionConfig),
  transcription: optional(TranscriptOfRecording),
})

export const StartTranscription = Type.Object({
  config: optional(
    Type.Object({
      webhookUrl: optional(Url),
      modelConfig: optional(Type.Record(Type.String(), Type.Unknown())),
      language: optional(Type.String({ maxLength: 35, description: 'BCP 47.' })),
      summary: TranscriptOfRecording.properties.summary,
    }),
  ),
})

export type Layout = {
  type: 'GRID' | 'SPOTLIGHT' | 'SIDEBAR'
  priority: 'SPEAKER' | 'PIN'
  /** The most tiles at once. */
  gridSize: number
}

/** A composition with every default filled in. */
export interface Composition {
  layout: Layout
  theme: 'DARK' | 'LIGHT' | 'DEFAULT'
  mode: 'video-and-audio' | 'audio'
  quality: 'low' | 'med' | 'high' | 'ultra'
  orientation: 'landscape' | 'portrait'
  /** A page of the caller that replaces ours. */
  templateUrl: string | null
}

/** Fills in the defaults. */
export function compositionOf(
  config: CompositionConfig | null | undefined,
  templateUrl: string | null = null,
): Composition {
  const { layout, theme, mode, quality, orientation } = config ?? {}
  return {
    layout: {
      type: layout?.type ?? 'GRID',
      priority: layout?.priority ?? 'SPEAKER',
      gridSize: Math.max(1, layout?.gridSize || 25),
    },
    theme: theme ?? 'DEFAULT',
    mode: mode ?? 'video-and-audio',
    quality: quality ?? 'med',
    orientation: orientation ?? 'landscape',
    templateUrl,
  }
}
