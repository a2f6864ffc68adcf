import { expect, it } from 'vitest';
import { countFault, keptWords } from './backups';

it('takes whole numbers within what the core takes', () => {
  for (const [text, least] of [['1', 1], [' 7 ', 1], ['0', 0], ['1000', 0]] as const) expect(countFault(text, least), text).toBeNull();
  for (const [text, least] of [['', 1], ['0', 1], ['1001', 0], ['-1', 0], ['1.5', 0], ['seven', 0], ['1e2', 0]] as const) expect(countFault(text, least), text).not.toBeNull();
});

it('says what is kept', () => {
  expect(keptWords({ enabled: true, daily: 7, weekly: 4 })).toBe('The newest of each of 7 days and of 4 weeks');
  expect(keptWords({ enabled: true, daily: 1, weekly: 0 })).toBe('The newest of each of 1 day');
  expect(keptWords({ enabled: false, daily: 7, weekly: 4 })).not.toContain('7');
});
