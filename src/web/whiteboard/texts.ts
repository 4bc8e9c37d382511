/** The texts of the whiteboard, which load with it. Whoever imports this module has them. */
import type { BoardCatalogue } from '../texts/languages.ts'
import { addTexts } from '../texts/texts.ts'

await addTexts<BoardCatalogue>({
  en: () => import('../texts/board/en.json', { with: { type: 'json' } }),
  de: () => import('../texts/board/de.json', { with: { type: 'json' } }),
  es: () => import('../texts/board/es.json', { with: { type: 'json' } }),
  fr: () => import('../texts/board/fr.json', { with: { type: 'json' } }),
  pt: () => import('../texts/board/pt.json', { with: { type: 'json' } }),
  hi: () => import('../texts/board/hi.json', { with: { type: 'json' } }),
  ja: () => import('../texts/board/ja.json', { with: { type: 'json' } }),
  ar: () => import('../texts/board/ar.json', { with: { type: 'json' } }),
})

export { text, useLanguage } from '../texts/texts.ts'
