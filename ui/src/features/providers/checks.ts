// Outcomes of preflights in words.
import type { CheckWord } from '$lib/wire';

export const WORDS: Record<CheckWord, string> = { good: 'Good', bad: 'Bad', cannot_tell: 'Cannot tell' };
export const TONES = { good: 'good', bad: 'bad', cannot_tell: 'plain' } as const;
