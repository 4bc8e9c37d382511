/** As part of a sentence: "less than a minute", "about 3 minutes". */
export function timeLeft(seconds: number): string
