/** What was typed as a list, with white space or commas between. */
export const wordsIn = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '')
