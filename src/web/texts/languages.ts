/** The languages of the page, and which of them somebody reads. */
import type board from './board/en.json'
import type check from './check/en.json'
import type en from './en.json'

/** Texts of one language, in ICU MessageFormat. A language without a key of English does not compile. */
export type Catalogue = Record<keyof typeof en, string>
/** Those of a part of the page that is loaded by itself. */
export type CheckCatalogue = Record<keyof typeof check, string>
export type BoardCatalogue = Record<keyof typeof board, string>
export type TextKey = keyof Catalogue | keyof CheckCatalogue | keyof BoardCatalogue

export const languages = {
  en: { name: 'English', dir: 'ltr' },
  de: { name: 'Deutsch', dir: 'ltr' },
  es: { name: 'Español', dir: 'ltr' },
  fr: { name: 'Français', dir: 'ltr' },
  pt: { name: 'Português', dir: 'ltr' },
  hi: { name: 'हिन्दी', dir: 'ltr' },
  ja: { name: '日本語', dir: 'ltr' },
  ar: { name: 'العربية', dir: 'rtl' },
} as const
export type Language = keyof typeof languages
export const languageNames = Object.keys(languages) as Language[]

export function isLanguage(text: string | null): text is Language {
  return text !== null && Object.hasOwn(languages, text)
}

/** @param wanted the languages of the browser, the best first: `pt-BR`, `en` */
export function languageFor(chosen: string | null, wanted: readonly string[]): Language {
  if (isLanguage(chosen)) return chosen
  for (const tag of wanted) {
    const language = tag.split('-')[0]!.toLowerCase()
    if (isLanguage(language)) return language
  }
  return 'en'
}
