import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/**
 * Time and randomness enter at the root and travel as arguments, so that a test can choose them. These files alone take them
 * from the system. Spans may be measured anywhere with `performance.now()`.
 */
const TAKES_TIME_AND_RANDOMNESS = [
  // The roots.
  'src/server/**',
  'src/cli/**',
  // Other programs: in a browser, in a backend, in a program that takes part, and under a load test.
  'src/client/**',
  'src/web/**',
  'src/server-client/server-client.ts',
  'src/agent/**',
  'src/load/**',
  // Where a caller who chooses the value would break what it is for: the seal, the master key, a token's own id, a request's.
  'src/store/secrets/seal.ts',
  'src/store/secrets/master-key.ts',
  'src/token/mint.ts',
  // Made once for the process.
  'src/api/http/request-id.ts',
]
const FROM_THE_ROOT = 'Take it as an argument: time and randomness enter at the root (eslint.config.js).'
const restricted = (object, properties) =>
  properties.map((property) => ({ object, property, message: FROM_THE_ROOT }))

export default tseslint.config(
  { ignores: ['dist', 'data', 'node_modules', 'test-failures', '.cache'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/consistent-type-definitions': 'off',
      // An empty text is often as good as none here.
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      // Asks for the types of all that is assigned, and there are no enums: tsconfig.json allows none.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    ignores: ['**/*.test.ts', ...TAKES_TIME_AND_RANDOMNESS],
    rules: {
      'no-restricted-properties': [
        'error',
        ...restricted('Date', ['now']),
        ...restricted('Math', ['random']),
        ...restricted('crypto', ['getRandomValues', 'randomUUID', 'randomBytes', 'randomInt']),
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: FROM_THE_ROOT },
        { selector: "CallExpression[callee.name='Date']", message: FROM_THE_ROOT },
      ],
      'no-restricted-imports': [
        'error',
        ...['node:crypto', 'crypto'].map((name) => ({
          name,
          importNames: [
            'default',
            'getRandomValues',
            'randomBytes',
            'randomFill',
            'randomFillSync',
            'randomInt',
            'randomUUID',
            'webcrypto',
          ],
          message: FROM_THE_ROOT,
        })),
      ],
    },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        clearTimeout: 'readonly',
        clearInterval: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        AbortSignal: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
      },
    },
  },
)
