// What the specs share: one server with one organization, the two real peers, and a signed-in page.
import { test as base, expect } from '@playwright/test';
import AxeBuilder from '@axe-core/playwright';
import { Installation, api, peer } from '../peers/patchbay.mjs';

export const test = base.extend({
  installation: [
    async ({}, use) => {
      const installation = new Installation();
      await use(installation);
      installation.close();
    },
    { scope: 'worker' },
  ],
  organization: [async ({ installation }, use) => use(installation.init('Acme')), { scope: 'worker' }],
  server: [
    async ({ installation, organization: _ }, use) => {
      const server = await installation.serve();
      await use(server);
      expect(await server.stop(), 'serve ends with status 0').toBe(0);
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  redmine: [
    async ({}, use) => {
      const redmine = await peer('redmine');
      await use(redmine.facts);
      await redmine.close();
    },
    { scope: 'worker', timeout: 180_000 },
  ],
  oidc: [
    async ({}, use) => {
      const oidc = await peer('oidc');
      await use(oidc.facts);
      await oidc.close();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  management: [async ({ server, organization }, use) => use(api(server.url, organization.token.access.secret)), { scope: 'worker' }],
  baseURL: async ({ server }, use) => use(server.url),

  /** A page that fails the test when it reports an error of its own, and is signed in with the organization's token. */
  app: async ({ page, organization }, use) => {
    const faults = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      // Refusals are part of the tests; Chromium reports each failed request as an error of the page.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text());
    });
    await signIn(page, organization.token.access.secret);
    await use(page);
    expect(faults, 'errors that the page reported').toEqual([]);
  },
});

export { expect };

export async function signIn(page, token) {
  await page.goto('/');
  await page.getByLabel('Organization token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('navigation', { name: 'Screens' })).toBeVisible();
}

/** No violation of the accessibility rules on what is shown now. */
export async function accessible(page) {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
}
