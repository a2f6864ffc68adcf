import { platform } from '$lib/platform';

export type Theme = 'system' | 'light' | 'dark' | 'contrast';
export const THEMES: { id: Theme; title: string }[] = [
  { id: 'system', title: 'As the system' },
  { id: 'light', title: 'Light' },
  { id: 'dark', title: 'Dark' },
  { id: 'contrast', title: 'High contrast' },
];

let current = $state<Theme>('system');

function show(theme: Theme): void {
  const root = document.documentElement;
  const wanted = theme === 'system' && matchMedia('(prefers-contrast: more)').matches ? 'contrast' : theme;
  if (wanted === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = wanted;
}

export function startTheme(): void {
  const kept = platform.preference('theme');
  current = THEMES.find((theme) => theme.id === kept)?.id ?? 'system';
  show(current);
}

export const theme = {
  get current(): Theme {
    return current;
  },
  set(next: Theme) {
    current = next;
    platform.setPreference('theme', next === 'system' ? null : next);
    show(next);
  },
};
