/**
 * The texts of the page in the language that is shown. English is part of the page, for it stands in until another
 * catalogue has arrived; of the others, only the one that is shown is loaded. A part of the page that few people open has
 * catalogues of its own, which it adds with `addTexts()`.
 */
import { IntlMessageFormat } from 'intl-messageformat'
import { createElement, Fragment, useSyncExternalStore, type ReactNode } from 'react'
import en from './en.json' with { type: 'json' }
import {
  isLanguage,
  languageFor,
  languages,
  type Catalogue,
  type Language,
  type TextKey,
} from './languages.ts'

const KEY = 'anteroom:language'

const loaders: Record<Exclude<Language, 'en'>, () => Promise<{ default: Catalogue }>> = {
  de: () => import('./de.json', { with: { type: 'json' } }),
  es: () => import('./es.json', { with: { type: 'json' } }),
  fr: () => import('./fr.json', { with: { type: 'json' } }),
  pt: () => import('./pt.json', { with: { type: 'json' } }),
  hi: () => import('./hi.json', { with: { type: 'json' } }),
  ja: () => import('./ja.json', { with: { type: 'json' } }),
  ar: () => import('./ar.json', { with: { type: 'json' } }),
}

export type Loaders<Texts extends Partial<Record<TextKey, string>>> = Record<
  Language,
  () => Promise<{ default: Texts }>
>
const parts = new Set<Loaders<Partial<Record<TextKey, string>>>>()

let shown: Language = 'en'
let catalogue: Partial<Record<TextKey, string>> = en
let messages = new Map<TextKey, IntlMessageFormat>()
const listeners = new Set<() => void>()

function messageOf(key: TextKey): IntlMessageFormat {
  let message = messages.get(key)
  if (!message) messages.set(key, (message = new IntlMessageFormat(catalogue[key] ?? key, shown)))
  return message
}

/** A text of the catalogue. */
export function text(key: TextKey, values?: Record<string, string | number>): string {
  return String(messageOf(key).format(values))
}

/** What stands in a text: an element, or for a tag such as `<b>` the element around its content. */
type Part = ReactNode | ((content: ReactNode) => ReactNode)

/** A text with elements in it, such as a name in `<Foreign>`. */
export function rich(key: TextKey, values: Record<string, Part>): ReactNode {
  const wrapped = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === 'function' ? (parts: ReactNode[]) => value(together(parts)) : value,
  ])
  const parts: unknown = messageOf(key).format<ReactNode>(Object.fromEntries(wrapped) as never)
  return together(Array.isArray(parts) ? (parts as ReactNode[]) : [parts as ReactNode])
}

function together(parts: readonly ReactNode[]): ReactNode {
  return createElement(Fragment, null, ...parts)
}

/** Names and other parts as a list: "Ann, Bob and Eve". */
export function listed(parts: readonly string[]): string {
  return new Intl.ListFormat(shown === 'en' ? 'en-GB' : shown).format(parts)
}

/** A number with one decimal place. */
export function decimal(value: number): string {
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1, numberingSystem: 'latn' } as const
  return new Intl.NumberFormat(shown, digits).format(value)
}

/** Adds the texts of a part of the page, once they are here in the language that is shown. */
export async function addTexts<Texts extends Partial<Record<TextKey, string>>>(
  part: Loaders<Texts>,
): Promise<void> {
  parts.add(part)
  await showLanguage(shown)
}

/** Shows the page in another language, once its catalogues are here. */
export async function showLanguage(language: Language): Promise<void> {
  const found = await Promise.all([
    language === 'en' ? { default: en } : loaders[language](),
    ...[...parts].map((part) => part[language]()),
  ])
  shown = language
  catalogue = Object.assign({}, ...found.map((one) => one.default)) as typeof catalogue
  messages = new Map()
  if ('document' in globalThis) {
    document.documentElement.lang = language
    document.documentElement.dir = languages[language].dir
  }
  for (const listener of [...listeners]) listener()
}

/** Shows the language that was chosen in this browser, or the browser's own; English if its catalogue does not arrive. */
export async function showFirstLanguage(): Promise<void> {
  const asked = new URLSearchParams(location.search).get('lang')
  const chosen = isLanguage(asked) ? asked : kept()
  await showLanguage(languageFor(chosen, navigator.languages)).catch((error: unknown) => {
    console.error(error)
  })
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

export async function chooseLanguage(language: Language): Promise<void> {
  await showLanguage(language)
  try {
    localStorage.setItem(KEY, language)
  } catch {
    // A browser that keeps nothing asks again the next time.
  }
}

/** The language that is shown. A component inside `memo` calls it, so that it is drawn again in another language. */
export function useLanguage(): Language {
  return useSyncExternalStore(onLanguage, shownLanguage)
}

export const shownLanguage = (): Language => shown

/** Tells that another language is shown. Returns a function that stops it. */
export function onLanguage(onChange: () => void): () => void {
  listeners.add(onChange)
  return () => listeners.delete(onChange)
}
