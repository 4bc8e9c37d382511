import { hash } from 'node:crypto'

/** The hash under which a code or a cookie is stored. */
export const digest = (text: string): string => hash('sha256', text)
