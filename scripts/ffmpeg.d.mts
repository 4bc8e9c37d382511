export function findFfmpeg(env?: NodeJS.ProcessEnv): string | undefined
