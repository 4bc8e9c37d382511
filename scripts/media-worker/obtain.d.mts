/** How far another process is that brings the worker now; undefined when none does. */
export function preparingElsewhere(
  env?: NodeJS.ProcessEnv,
): { step: string; done: number; total: number; secondsLeft: number | null } | undefined
