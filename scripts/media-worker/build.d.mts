/** Why this machine cannot build the worker, as the end of a sentence; undefined when it can. */
export function whyNoBuild(): string | undefined
