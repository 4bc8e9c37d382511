/** The texts of the check, which load with it. Whoever imports this module has them. */
import type { CheckCatalogue } from '../texts/languages.ts'
import { addTexts } from '../texts/texts.ts'

await addTexts<CheckCatalogue>({
  en: () => import('../texts/check/en.json', { with: { type: 'json' } }),
  de: () => import('../texts/check/de.json', { with: { type: 'json' } }),
  es: () => import('../texts/check/es.json', { with: { type: 'json' } }),
  fr: () => import('../texts/check/fr.json', { with: { type: 'json' } }),
  pt: () => import('../texts/check/pt.json', { with: { type: 'json' } }),
  hi: () => import('../texts/check/hi.json', { with: { type: 'json' } }),
  ja: () => import('../texts/check/ja.json', { with: { type: 'json' } }),
  ar: () => import('../texts/check/ar.json', { with: { type: 'json' } }),
})

export { decimal, text, useLanguage } from '../texts/texts.ts'
