import { chooseLanguage, text, useLanguage } from '../texts/texts.ts'
import { languageNames, languages, type Language } from '../texts/languages.ts'

/** The language of the page; it is remembered in this browser. */
export function LanguageChoice() {
  const language = useLanguage()
  return (
    <select
      className="language"
      aria-label={text('language.label')}
      value={language}
      onChange={({ target }) => {
        chooseLanguage(target.value as Language).catch((error: unknown) => console.error(error))
      }}
      data-testid="language"
    >
      {languageNames.map((name) => (
        <option key={name} value={name} lang={name}>
          {languages[name].name}
        </option>
      ))}
    </select>
  )
}
