import { expect, it } from 'vitest';
import { marksOf } from './marks';

it('counts the marks of secrets, not words in texts', () => {
  const content = ['secret: omitted', 'client_secret: { secret: omitted }', '# omitted here', 'sealed: |', '  -----BEGIN AGE ENCRYPTED FILE-----', 'description: nothing omitted here'].join('\n');
  expect(marksOf(content)).toEqual({ omitted: 2, sealed: 1 });
});
