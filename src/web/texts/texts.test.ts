/** The catalogues hold the same texts, and the page shows no text that is outside of them. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { IntlMessageFormat } from 'intl-messageformat'
import ts from 'typescript'
import { languageFor, languageNames, type Language } from './languages.ts'
import { listed, showLanguage, text } from './texts.ts'

const web = join(import.meta.dirname, '..')
type Catalogues = Record<Language, Record<string, string>>
const read = (folder: string): Catalogues =>
  Object.fromEntries(
    languageNames.map((language) => [
      language,
      JSON.parse(readFileSync(join(import.meta.dirname, folder, `${language}.json`), 'utf8')) as Record<
        string,
        string
      >,
    ]),
  ) as Catalogues

/** Texts of a part of the page, by the folder of their catalogues: where they are used, and how their keys begin. */
const parts = {
  check: { folder: 'check/', start: 'check.' },
  board: { folder: 'whiteboard/', start: 'board.' },
}
const byFolder: Record<string, Catalogues> = {
  '': read(''),
  ...Object.fromEntries(Object.keys(parts).map((part) => [part, read(part)])),
}
/** All of them together. */
const catalogues = Object.fromEntries(
  languageNames.map((language) => [
    language,
    Object.assign({}, ...Object.values(byFolder).map((one) => one[language])) as Record<string, string>,
  ]),
) as Catalogues

/** What apps on the published client send and read, in whatever language the page is. */
const ON_THE_WIRE = new Set<string>([
  'meeting/chat-model.ts: Raise hand',
  'meeting/chat-model.ts: Lower hand',
])

type Element = ReturnType<IntlMessageFormat['getAst']>[number]

/** The names of the values that a text takes. */
function valuesOf(message: string, language: string): string[] {
  const names = new Set<string>()
  const walk = (parts: readonly Element[]): void => {
    for (const part of parts as { type: number; value?: string; options?: object; children?: Element[] }[]) {
      // A literal is 0, and `#` is 7: neither is a value.
      if (part.type !== 0 && part.type !== 7) names.add(part.value!)
      for (const option of Object.values(part.options ?? {})) walk((option as { value: Element[] }).value)
      if (part.children) walk(part.children)
    }
  }
  walk(new IntlMessageFormat(message, language).getAst())
  return [...names].sort()
}

for (const language of languageNames)
  test(`the catalogue ${language} has every text of English, with the same values`, () => {
    assert.deepEqual(Object.keys(catalogues[language]).sort(), Object.keys(catalogues.en).sort())
    for (const [key, english] of Object.entries(catalogues.en)) {
      const message = catalogues[language][key]!
      assert.notEqual(message.trim(), '', key)
      assert.deepEqual(valuesOf(message, language), valuesOf(english, 'en'), `${key} of ${language}`)
    }
  })

test('the texts of a catalogue are in the order of their keys', () => {
  for (const [folder, of] of Object.entries(byFolder))
    for (const language of languageNames) {
      const keys = Object.keys(of[language])
      assert.deepEqual(keys, [...keys].sort(), `sort ${folder}/${language}.json`)
    }
})

const files = globSync('{*,{screens,meeting,check,effects,parts,whiteboard}/**/*}.{ts,tsx}', { cwd: web })
  .filter((file) => !/\.test\.tsx?$|\.d\.ts$|^vite\.config/.test(file))
  .sort()
const parsed = new Map(
  files.map((file) => [
    file,
    ts.createSourceFile(file, readFileSync(join(web, file), 'utf8'), ts.ScriptTarget.Latest, true),
  ]),
)

/** Names of keys, and what is no text of the page. */
const NO_TEXT =
  /^(Escape|Enter|Space|Tab|Home|End|Arrow\w*|Page\w+|Delete|Backspace|PNG|Anteroom|(Chrome|Firefox|Safari)\/?|OffscreenCanvas|DOMException|NotAllowedError|Notification)$/
const looksLikeText = (value: string): boolean =>
  (/^\p{Lu}\p{Ll}+/u.test(value) || /\p{L}{2,} \p{L}{2,}/u.test(value)) &&
  !NO_TEXT.test(value) &&
  !value.includes('sans-serif')
const NO_TEXT_ATTRIBUTES =
  /^(className|boxClass|class|id|role|type|rel|target|style|key|name|path|d|viewBox|htmlFor|data-.*|autoComplete|allow)$/

/** The texts of a file that people would see and that are in no catalogue. */
function textsIn(root: ts.Node): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return
    if (ts.isJsxAttribute(node) && NO_TEXT_ATTRIBUTES.test(node.name.getText())) return
    if (ts.isPropertyAssignment(node) && /^(className|path|font|style)$/.test(node.name.getText())) return
    // What is thrown or logged is for developers.
    if (ts.isThrowStatement(node)) return
    if (ts.isCallExpression(node) && node.expression.getText().startsWith('console.')) return
    if (ts.isJsxText(node) && /\p{L}/u.test(node.text) && !NO_TEXT.test(node.text.trim()))
      found.push(node.text.trim())
    if (ts.isStringLiteralLike(node) && looksLikeText(node.text)) found.push(node.text)
    if (ts.isTemplateExpression(node)) {
      const written = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…')
      if (looksLikeText(written)) found.push(written)
    }
    ts.forEachChild(node, visit)
  }
  visit(root)
  return found
}

test('the page shows no text that is outside of the catalogues', () => {
  const outside = files
    .flatMap((file) => textsIn(parsed.get(file)!).map((found) => `${file}: ${found}`))
    .filter((line) => !ON_THE_WIRE.has(line))
  assert.deepEqual(outside, [], 'move them into src/web/texts (CONTRIBUTING.md: "How to add a text")')
})

test('the texts of a part are in its catalogue, and used in that part alone', () => {
  for (const [part, { folder, start }] of Object.entries(parts)) {
    for (const [at, of] of Object.entries(byFolder))
      for (const key of Object.keys(of.en)) assert.equal(key.startsWith(start), at === part, key)
    for (const [file, root] of parsed)
      if (!file.startsWith(folder)) {
        const found = new RegExp(`['"\`]${start.replace('.', '\\.')}[\\w.$]*`).exec(root.text)
        assert.equal(found?.[0], undefined, `${file}: ${part} may not be loaded there`)
      }
  }
})

test('what looks like a text is found, and what does not is not', () => {
  const of = (source: string): string[] =>
    textsIn(ts.createSourceFile('a.tsx', source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX))
  assert.deepEqual(of('const a = <p>Hello</p>'), ['Hello'])
  assert.deepEqual(of('const a = <p aria-label="Two words" />'), ['Two words'])
  assert.deepEqual(of('const a = (x: string) => `${x} has left`'), ['… has left'])
  assert.deepEqual(of("const a = { label: 'Mute' }"), ['Mute'])
  assert.deepEqual(of('import a from \'A file\'; const b = <p className="Two words">{c}</p>'), [])
  assert.deepEqual(of("if (event.key === 'Escape') throw new Error('This is wrong')"), [])
})

test('each text gets the values that it takes, and each is used', () => {
  const wrong: string[] = []
  const literals = new Set<string>()
  const patterns: RegExp[] = []
  for (const [file, root] of parsed) {
    const visit = (node: ts.Node): void => {
      if (ts.isStringLiteralLike(node)) literals.add(node.text)
      if (ts.isTemplateExpression(node) && /^[a-zA-Z]+\./.test(node.head.text)) {
        const spans = node.templateSpans.map(({ literal }) => `[^.]+${literal.text.replaceAll('.', '\\.')}`)
        patterns.push(new RegExp(`^${node.head.text.replaceAll('.', '\\.')}${spans.join('')}$`))
      }
      if (ts.isCallExpression(node) && /^(text|rich)$/.test(node.expression.getText())) {
        const [key, values] = node.arguments
        if (key && ts.isStringLiteralLike(key) && (!values || ts.isObjectLiteralExpression(values))) {
          const given = new Set(values?.properties.map((one) => one.name?.getText()))
          const missing = valuesOf(catalogues.en[key.text] ?? '', 'en').filter((name) => !given.has(name))
          if (missing.length > 0) wrong.push(`${file}: ${key.text} lacks ${missing.join(', ')}`)
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(root)
  }
  const unused = Object.keys(catalogues.en).filter(
    (key) => !literals.has(key) && !patterns.some((pattern) => pattern.test(key)),
  )
  assert.deepEqual(wrong, [])
  assert.deepEqual(unused, [], 'take these out of the catalogues')
})

test('the language is the chosen one, else the first of the browser that the page has', () => {
  const cases: [chosen: string | null, wanted: string[], language: Language][] = [
    [null, ['pt-BR', 'en'], 'pt'],
    [null, ['nl', 'DE-ch'], 'de'],
    [null, ['nl'], 'en'],
    [null, [], 'en'],
    ['ja', ['de'], 'ja'],
    ['toString', ['de'], 'de'],
    ['', ['ar'], 'ar'],
  ]
  for (const [chosen, wanted, language] of cases) assert.equal(languageFor(chosen, wanted), language)
})

test('plurals and lists follow the language', async () => {
  try {
    assert.equal(listed(['Ann', 'Bob', 'Eve']), 'Ann, Bob and Eve')
    assert.equal(text('inside.are', { count: 1, list: 'Ann' }), 'Ann is inside.')
    await showLanguage('de')
    assert.equal(listed(['Ann', 'Bob', 'Eve']), 'Ann, Bob und Eve')
    assert.equal(text('inside.are', { count: 2, list: 'Ann und Bob' }), 'Ann und Bob sind drin.')
  } finally {
    await showLanguage('en')
  }
})
