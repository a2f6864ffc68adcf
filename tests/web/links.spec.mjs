// One-time links: an invitation and a reset that a person opens in a browser, and links that lead nowhere.
import { accessible, expect, test } from './world.mjs';

const PASSWORD = 'Kabel-quer-durch-den-Flur-9';

/** A link that an administrator passes on: made in the inspector of the member, shown once. */
async function linkOf(page, member, name) {
  await page.goto(`/#/members?sel=${member}`);
  await page.getByRole('button', { name, exact: true }).click();
  const link = await page.locator('[data-secret]').first().textContent();
  await page.getByRole('button', { name: 'Done' }).click();
  return link.trim();
}

/** Opens a link as its holder does: in a browser that knows nobody. */
async function holder(browser, server, link) {
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await page.goto(link);
  return { context, page };
}

test('an invitation asks for a password and leads in', async ({ app: page, browser, server, management }) => {
  const member = (await management('POST', '/v1/members', { name: 'mary@example.com', fullname: 'Mary Shelley', role_binding: ['viewer'], options: { options: ['invited'] } })).result.member;
  const link = await linkOf(page, member.id, 'Invitation link');
  const theirs = await holder(browser, server, link);

  await expect(theirs.page.getByRole('heading', { name: 'Welcome to Patchbay' })).toBeVisible();
  await expect(theirs.page.getByText('Acme · Mary Shelley')).toBeVisible();
  await expect(theirs.page.getByLabel('Sign in as')).toHaveValue('mary@example.com');
  expect(theirs.page.url(), 'the secret is out of the address at once').not.toContain('welcome');
  await accessible(theirs.page);

  const choose = theirs.page.getByRole('button', { name: 'Set the password and sign in' });
  await expect(choose).toBeDisabled();
  await theirs.page.getByLabel('Password', { exact: true }).fill('short');
  await choose.click();
  await expect(theirs.page.getByText(/^At least \d+ characters\.$/)).toBeVisible();
  await theirs.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await theirs.page.getByLabel('Once more').fill(`${PASSWORD}!`);
  await expect(theirs.page.getByText('This is not the same.')).toBeVisible();
  await accessible(theirs.page);
  await theirs.page.getByLabel('Once more').fill(PASSWORD);
  await choose.click();
  await expect(theirs.page.getByRole('navigation', { name: 'Screens' })).toBeVisible();
  await expect(theirs.page.getByText('Read only', { exact: true })).toBeVisible();
  const kept = await theirs.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML]));
  expect(kept).not.toContain(PASSWORD);
  await theirs.context.close();

  // It worked once. Whoever opens it again is told so and can go to the sign-in.
  const again = await holder(browser, server, link);
  await expect(again.page.getByRole('alert')).toBeVisible();
  await expect(again.page.getByLabel('Password', { exact: true })).toHaveCount(0);
  await accessible(again.page);
  await again.page.getByRole('button', { name: 'Go to sign in' }).click();
  await again.page.getByText('E-mail and password').click();
  await again.page.getByLabel('E-mail', { exact: true }).fill('mary@example.com');
  await again.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await again.page.getByRole('button', { name: 'Sign in' }).click();
  await expect(again.page.getByRole('navigation', { name: 'Screens' })).toBeVisible();
  await again.context.close();
});

test('a reset replaces the password that was', async ({ app: page, browser, server, management }) => {
  const before = 'Stecker-links-Buchse-rechts-4';
  const member = (await management('POST', '/v1/members', { name: 'percy@example.com', fullname: 'Percy Shelley', secret: before, role_binding: ['viewer'] })).result.member;
  const theirs = await holder(browser, server, await linkOf(page, member.id, 'Reset link'));
  await expect(theirs.page.getByRole('heading', { name: 'Choose a new password' })).toBeVisible();
  await theirs.page.getByLabel('Password', { exact: true }).fill('percy@example.com');
  await theirs.page.getByLabel('Once more').fill('percy@example.com');
  const choose = theirs.page.getByRole('button', { name: 'Set the password and sign in' });
  await choose.click();
  await expect(theirs.page.getByRole('alert')).toContainText(/password/i);
  await theirs.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await theirs.page.getByLabel('Once more').fill(PASSWORD);
  await choose.click();
  await expect(theirs.page.getByRole('navigation', { name: 'Screens' })).toBeVisible();
  await theirs.context.close();

  const organization = (await management('GET', '/v1/organization')).result.id;
  const logon = (secret) => management('POST', `/v1/auth/logon/${organization}`, { name: 'percy@example.com', secret });
  await expect(logon(before)).rejects.toThrow(/401/);
  expect((await logon(PASSWORD)).result.token.access.secret).toMatch(/^pbo_/);
});

test('a link that was made up leads nowhere and gives nothing away', async ({ browser, server }) => {
  for (const address of ['/#welcome=pbx_0000000000000000000000000000000000000000', '/#/welcome/none', '/#setup=none']) {
    const theirs = await holder(browser, server, address);
    await expect(theirs.page.getByRole('alert')).toBeVisible();
    await expect(theirs.page.getByText('Acme')).toHaveCount(0);
    await accessible(theirs.page);
    await theirs.context.close();
  }
});
