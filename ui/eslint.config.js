import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const hostOnly = { group: ['@tauri-apps/*'], message: 'Only src/lib/platform talks to the host.' };
const noFeatures = { group: ['$features/*', '**/features/**'], message: 'Features are loaded by routes.ts only; share through kit and lib.' };
const noNetwork = ['fetch', 'EventSource', 'XMLHttpRequest', 'WebSocket', 'localStorage', 'sessionStorage'].map((name) => ({
  name,
  message: 'Only src/lib/platform talks to the host.',
}));

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/lib/contract'] },
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    rules: {
      'no-console': 'error',
      'no-eval': 'error',
      eqeqeq: ['error', 'smart'],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'svelte/no-at-html-tags': 'error',
      // Hash routes: links are plain fragments, there is no SvelteKit to resolve them.
      'svelte/no-navigation-without-resolve': 'off',
      // Dates, maps and parameters here are values that are made anew, not state.
      'svelte/prefer-svelte-reactivity': 'off',
      'no-restricted-globals': ['error', ...noNetwork],
      'no-restricted-imports': ['error', { patterns: [hostOnly, noFeatures] }],
    },
  },
  { files: ['src/lib/platform/**'], rules: { 'no-restricted-globals': 'off', 'no-restricted-imports': ['error', { patterns: [noFeatures] }] } },
  { files: ['src/routes.ts', 'src/App.svelte'], rules: { 'no-restricted-imports': ['error', { patterns: [hostOnly] }] } },
);
