// Deadlines in a browser: sorted, filtered, walked through by keyboard, and taken along as a calendar.
import { accessible, expect, test } from './world.mjs';

test('what ends is found with its next step, and saved as a calendar', async ({ app: page, management }) => {
  const ahead = (days) => new Date(Date.now() + days * 86_400_000).toISOString();
  const account = (await management('POST', '/v1/accounts', { name: 'clockworks', fullname: 'Clockworks' })).result.account.id;
  await management('POST', `/v1/credentials/${account}`, { name: 'late-key', fullname: 'Key of the tower', expires: ahead(40), config: { type: 'token', secret: 'x' } });
  await management('POST', '/v1/x/provider-apps', { provider: 'ticketing_jira', name: 'clock-app', fullname: 'App of the clockmaker', client_id: 'c', client_secret: 'x', secret_expires: ahead(10) });
  await page.goto('/#/deadlines');
  const grid = page.getByRole('grid', { name: 'Deadlines' });
  const tower = grid.getByRole('row', { name: /Key of the tower/ });
  const app = grid.getByRole('row', { name: /App of the clockmaker/ });
  await expect(tower).toBeVisible();
  await expect(app).toBeVisible();
  await grid.getByRole('button', { name: 'Of' }).click();
  await expect(grid.getByRole('columnheader', { name: 'Of' })).toHaveAttribute('aria-sort', 'ascending');
  await grid.focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  await expect(page.getByRole('complementary', { name: 'Deadline' }).getByText(/before then/)).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Within a year' }).click();
  await page.getByRole('menuitemradio', { name: 'Within 30 days' }).click();
  await expect(tower).toBeHidden();
  await expect(app).toBeVisible();
  await page.getByLabel('Also what Patchbay renews').check();
  await expect(page).toHaveURL(/all=yes/);
  await expect(app).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as calendar' }).click();
  expect((await download).suggestedFilename()).toBe('patchbay-deadlines.ics');
});
