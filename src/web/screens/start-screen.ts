/**
 * The start page: start a meeting, or join one by a link or an id. It is plain DOM, so that it can be used before React
 * and the rest of the page are here.
 */
import { parseJoinText, type Address } from '../address.ts'
import { brand } from '../brand.ts'
import { withoutControls } from '../isolate.ts'
import { followMedia } from '../media-state.ts'
import { languageNames, languages, type Language } from '../texts/languages.ts'
import { chooseLanguage, onLanguage, shownLanguage, text } from '../texts/texts.ts'

export interface StartActions {
  onStart: (isEncrypted: boolean) => Promise<void>
  onJoin: (to: Address) => Promise<void>
}

/** Makes an element. Keys with a hyphen, and those that are no properties, are attributes. */
function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Record<string, unknown> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(properties))
    if (key in made) Object.assign(made, { [key]: value })
    else made.setAttribute(key, String(value))
  made.append(...children)
  return made
}

/** Text of others within ours, as `<Foreign>` shows it. */
const foreign = (words: string): HTMLElement => element('bdi', {}, withoutControls(words))

function mark(): HTMLElement {
  const { logo } = brand
  return logo
    ? element('img', { className: 'logo large', ...logo, alt: '' })
    : element('img', { className: 'mark large', src: new URL('../mark.svg', import.meta.url).href, alt: '' })
}

function brandLinks(): HTMLElement[] {
  const items = brand.links.map(({ label, url }) =>
    element('li', {}, element('a', { href: url, target: '_blank', rel: 'noreferrer' }, foreign(label))),
  )
  return items.length > 0 ? [element('ul', { className: 'brand-links' }, ...items)] : []
}

/** Shows it in this element. Returns a function that stops it. */
export function showStart(into: HTMLElement, { onStart, onJoin }: StartActions): () => void {
  const about = element('p')
  const notice = element('p', { className: 'notice', 'data-testid': 'media-off' })
  const start = element('button', { className: 'primary wide', 'data-testid': 'start' })
  const encrypt = element('input', { type: 'checkbox', 'data-testid': 'start-encrypted' })
  const encryptWords = document.createTextNode('')
  const label = element('label', { htmlFor: 'join-text' })
  const link = element('input', {
    id: 'join-text',
    dir: 'auto',
    placeholder: 'https://…',
    autocomplete: 'off',
    'aria-describedby': 'join-problem',
  })
  const join = element('button', { type: 'submit' })
  const problem = element('p', { id: 'join-problem', className: 'problem', role: 'alert' })
  const language = element(
    'select',
    { className: 'language', 'data-testid': 'language' },
    ...languageNames.map((name) => element('option', { value: name, lang: name }, languages[name].name)),
  )
  const form = element(
    'form',
    { className: 'join' },
    label,
    element('div', { className: 'row' }, link, join),
    problem,
  )
  const card = element(
    'section',
    { className: 'card home' },
    mark(),
    element('h1', {}, foreign(brand.name)),
    about,
    start,
    element('label', { className: 'radio' }, encrypt, encryptWords),
    form,
    language,
    ...brandLinks(),
  )

  const write = (): void => {
    about.textContent = text('home.about')
    start.textContent = text('home.start')
    encryptWords.data = text('home.encrypt')
    label.textContent = text('home.orJoin')
    join.textContent = text('join')
    language.setAttribute('aria-label', text('language.label'))
    language.value = shownLanguage()
  }
  const tell = (sentence: string): void => {
    problem.textContent = sentence
    link.setAttribute('aria-invalid', String(sentence !== ''))
  }
  let isIncomplete = false
  /** A link with a code works once, so nothing is done twice. */
  const whileBusy = async (act: () => Promise<void>): Promise<void> => {
    const set = (isBusy: boolean): void => {
      start.disabled = encrypt.disabled = join.disabled = link.readOnly = isBusy
    }
    // A browser may not ask twice for a part that did not come.
    if (isIncomplete) {
      location.reload()
      return
    }
    set(true)
    try {
      await act()
    } catch (error) {
      console.error(error)
      isIncomplete = true
      tell(`${text('refusal.PAGE_INCOMPLETE.title')}. ${text('refusal.PAGE_INCOMPLETE.advice')}`)
    }
    set(false)
  }
  start.addEventListener('click', () => void whileBusy(() => onStart(encrypt.checked)))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const to = parseJoinText(link.value)
    if (join.disabled) return
    if (to) void whileBusy(() => onJoin(to))
    else tell(text('home.neither'))
  })
  link.addEventListener('input', () => tell(''))
  language.addEventListener('change', () => {
    chooseLanguage(language.value as Language).catch((error: unknown) => console.error(error))
  })

  write()
  tell('')
  into.replaceChildren(element('main', { className: 'centre' }, card))
  const stops = [
    onLanguage(write),
    followMedia((media) => {
      if (!media || media.available) return notice.remove()
      notice.setAttribute('role', media.preparing ? 'status' : 'alert')
      notice.textContent = media.reason ?? text('home.mediaOff')
      about.after(notice)
    }),
  ]
  return () => stops.forEach((stop) => stop())
}
