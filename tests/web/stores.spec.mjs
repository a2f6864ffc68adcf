// The store in a browser: its mark, its backups, and what is said while the server does not answer.
import { Installation } from '../peers/patchbay.mjs';
import { accessible, expect, test } from './world.mjs';

test('a browser marks its server, in colour and in a word', async ({ app: page }) => {
  const band = () => page.evaluate(() => document.documentElement.dataset.band);
  const top = page.getByRole('banner');
  await expect(top.getByText('Production', { exact: true })).toHaveCount(0);
  await page.getByRole('button', { name: /^Store\. Open: / }).click();
  const panel = page.getByRole('dialog', { name: /^Store\. Open: / });
  await expect(panel).toBeVisible();
  await accessible(page);
  await panel.getByLabel('Production').check();
  expect(await band()).toBe('prod');
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
  await page.reload();
  await expect(top.getByText('Production', { exact: true })).toBeVisible();
  expect(await band()).toBe('prod');
  await page.goto('/#/store');
  await page.getByRole('main').getByLabel('Test').check();
  await expect(top.getByText('Test', { exact: true })).toBeVisible();
  await accessible(page);
  await page.getByRole('main').getByLabel('Not said').check();
  expect(await band()).toBe('none');
  for (const name of ['Check', 'Copy', 'All stores']) await expect(page.getByRole('link', { name, exact: true }), 'a browser opens no stores').toHaveCount(0);
});

test('a backup is made by hand, and it is said how many are kept', async ({ app: page }) => {
  await page.goto('/#/store/backups');
  await page.getByRole('button', { name: 'Back up now' }).click();
  await expect(page.getByText(/^Backed up: /)).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole('row', { name: /By hand, kept/ })).toBeVisible();
  const save = page.getByRole('main').getByRole('button', { name: 'Save', exact: true });
  await expect(save).toBeDisabled();
  await page.getByLabel('Of so many weeks').fill('many');
  await expect(page.getByText('Enter a whole number from 0 to 1000.')).toBeVisible();
  await page.getByLabel('Of so many weeks').fill('2');
  await save.click();
  await expect(page.getByText('The newest of each of 7 days and of 2 weeks')).toBeVisible();
  await page.reload();
  await expect(page.getByLabel('Of so many weeks')).toHaveValue('2');
  await accessible(page);
});

test('while the server does not answer it is said, and what was typed is kept', async ({ page }) => {
  test.setTimeout(120_000);
  const installation = new Installation();
  const { token } = installation.init('Interrupted');
  let server = await installation.serve();
  const port = new URL(server.url).port;
  try {
    await page.goto(server.url);
    await page.getByLabel('Organization token').fill(token.access.secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('navigation', { name: 'Screens' })).toBeVisible();
    await page.goto(`${server.url}/#/accounts/new`);
    await page.getByLabel('Account', { exact: true }).fill('Typed before the break');
    const create = page.getByRole('button', { name: 'Create account' });
    const banner = page.getByText(/^Offline since \d\d:\d\d/);
    await expect(create).toBeEnabled();

    await server.stop();
    await expect(banner).toBeVisible({ timeout: 20_000 });
    await expect(create).toBeDisabled();
    await expect(page.getByText('Patchbay does not answer just now. What you entered stays here')).toBeVisible();
    await accessible(page);

    server = await installation.serve('--listen', `127.0.0.1:${port}`);
    await expect(banner).toBeHidden({ timeout: 20_000 });
    await expect(page.getByLabel('Account', { exact: true })).toHaveValue('Typed before the break');
    await create.click();
    await expect(page.getByRole('row', { name: 'Typed before the break' })).toBeVisible();
  } finally {
    await server.stop();
    installation.close();
  }
});
