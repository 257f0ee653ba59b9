import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'lib/**',
      'node_modules/**',
      'coverage/**',
      'ui-tests/**',
      'src/openapi.ts', // generated
      '*.config.*'
    ]
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json' }
    },
    plugins: { jupyter },
    rules: {
      // Every rule that the plugin has, as an error.
      ...Object.fromEntries(
        Object.keys((jupyter.default ?? jupyter).rules).map(rule => [
          `jupyter/${rule}`,
          'error'
        ])
      ),
      // What the first paint needs; dialogs, the log and the form are loaded on first use.
      'jupyter/prefer-lazy-imports': [
        'error',
        {
          ignoreImports: [
            '../api',
            '../imagecommands',
            '../model',
            '../version',
            '../widgets/panel',
            '../components/status'
          ]
        }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      curly: ['error', 'all'],
      eqeqeq: 'error'
    }
  },
  {
    files: ['src/**/__tests__/**'],
    rules: Object.fromEntries(
      [
        'no-untranslated-string',
        'require-disposable-ownership',
        'require-signal-cleanup',
        'require-signal-this-arg'
      ].map(rule => [`jupyter/${rule}`, 'off'])
    )
  },
  prettier
);
