import { isLiteralElement, parse } from '@formatjs/icu-messageformat-parser'
import react from '@vitejs/plugin-react'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const LARGE = 300_000

/** Also writes the files of the pages as `.br` and `.gz`, which `src/api/rest/page.ts` serves. */
const compressed: Plugin = {
  name: 'anteroom:compressed',
  async writeBundle({ dir }, bundle) {
    await Promise.all(
      Object.keys(bundle).map(async (name) => {
        if (name.endsWith('.html')) return
        const file = join(dir!, name)
        const bytes = await readFile(file)
        // One more would save 1 % and take three times as long. The largest files are in no first screen.
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: bytes.length < LARGE ? 10 : 9,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        }
        const [br, gz] = await Promise.all([
          promisify(brotliCompress)(bytes, { params }),
          promisify(gzip)(bytes, { level: 9 }),
        ])
        await Promise.all([writeFile(`${file}.br`, br), writeFile(`${file}.gz`, gz)])
      }),
    )
  },
}

const PARSER = '@formatjs/icu-messageformat-parser'
const ONLY_LITERALS = '\0anteroom:only-literals'

/** Parses the texts here, so that browsers load no parser. What is still a string is literal. */
const parsedTexts: Plugin = {
  name: 'anteroom:parsed-texts',
  enforce: 'pre',
  resolveId: (id) => (id === PARSER ? ONLY_LITERALS : null),
  load: (id) =>
    id === ONLY_LITERALS
      ? `export * from '${PARSER}/no-parser.js'\nexport const parse = (value) => [{ type: 0, value }]`
      : null,
  transform(code, id) {
    if (!/\/texts\/(\w+\/)?\w\w\.json$/.test(id)) return null
    const texts = Object.entries(JSON.parse(code) as Record<string, string>).map(([key, message]) => {
      const parsed = parse(message)
      const [first, ...rest] = parsed
      const isLiteral = first && isLiteralElement(first) && rest.length === 0 && first.value === message
      return [key, isLiteral ? message : parsed]
    })
    return JSON.stringify(Object.fromEntries(texts))
  },
}

const NOTHING = '\0anteroom:nothing'

/** TensorFlow Lite loads these in Node alone. */
const withoutNode: Plugin = {
  name: 'anteroom:without-node',
  enforce: 'pre',
  resolveId: (id) => (id === 'fs' || id === 'path' ? NOTHING : null),
  load: (id) => (id === NOTHING ? 'export default {}' : null),
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [parsedTexts, react(), compressed],
  worker: { plugins: () => [withoutNode] },
  build: {
    outDir: join(import.meta.dirname, '../../dist/web'),
    emptyOutDir: true,
    // The meeting page loads nothing of the dashboard.
    rolldownOptions: {
      // No module of the client has side effects, so modules that the start page does not use can be dropped.
      treeshake: { moduleSideEffects: [{ test: /\/src\/client\//, sideEffects: false }] },
      input: {
        start: join(import.meta.dirname, 'index.html'),
        meeting: join(import.meta.dirname, 'meeting.html'),
        dashboard: join(import.meta.dirname, 'dashboard/index.html'),
        whiteboard: join(import.meta.dirname, 'whiteboard/index.html'),
        recorder: join(import.meta.dirname, 'recorder/index.html'),
        embed: join(import.meta.dirname, 'embed/element.ts'),
      },
      // Apps load it by its name, so it has no hash.
      output: {
        entryFileNames: ({ name }) => (name === 'embed' ? 'embed.js' : 'assets/[name]-[hash].js'),
      },
    },
    chunkSizeWarningLimit: 1200,
    // The polyfill is an inline script, which the content security policy forbids.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
})
