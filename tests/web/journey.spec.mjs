// The first whole journey, in a browser: customer, consent at a real OpenID provider, real tickets of a real Redmine, tokens,
// export. The native window's test drives the same one.
import { accessible, expect, signIn, test } from './world.mjs';

/** Chooses in a combobox as a person does: types, takes the option. */
async function choose(page, label, words) {
  const box = page.getByRole('combobox', { name: label, exact: true });
  await box.click();
  await box.fill(words);
  await page.getByRole('option', { name: words }).first().click();
}

async function createAccount(page, fullname) {
  await page.goto('/#/accounts/new');
  await page.getByLabel('Account', { exact: true }).fill(fullname);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('row', { name: fullname })).toBeVisible();
}

test('from an empty store to tickets on screen and an export', async ({ app: page, context, oidc, redmine, server }) => {
  test.setTimeout(180_000);

  await test.step('the first screen says what to do', async () => {
    await expect(page.getByText('Connect your first customer')).toBeVisible();
    await accessible(page);
    await page.getByRole('link', { name: 'Create account' }).click();
    await page.getByLabel('Account', { exact: true }).fill('Bäckerei Brot & Co');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByRole('row', { name: 'Bäckerei Brot & Co' })).toBeVisible();
  });

  await test.step('a provider app with the client of the OpenID provider', async () => {
    await page.goto('/#/providers/apps/new');
    await choose(page, 'Provider', 'OpenID Connect');
    await page.getByLabel('Issuer').fill(oidc.issuer);
    await page.getByLabel('Client ID').fill(oidc.confidential.client_id);
    await page.getByLabel('Client secret', { exact: true }).fill(oidc.confidential.client_secret);
    await expect(page.getByText(`${server.url}/oauth/callback`).first()).toBeVisible();
    await accessible(page);
    await page.getByRole('button', { name: 'Add provider app' }).click();
    await expect(page.getByRole('row', { name: 'OpenID Connect' })).toBeVisible();
  });

  await test.step('an integration that a person authorizes', async () => {
    await page.goto('/#/integrations/new');
    await choose(page, 'Account', 'Bäckerei');
    await choose(page, 'Provider', 'OpenID Connect');
    await page.getByLabel('Issuer').fill(oidc.issuer);
    await accessible(page);
    await page.getByRole('button', { name: 'Create and connect' }).click();
    const dialog = page.getByRole('dialog', { name: /^Connect/ });
    const link = dialog.getByRole('link', { name: /^Continue at/ });
    await expect(link).toBeVisible();
    await accessible(page);
    const [provider] = await Promise.all([context.waitForEvent('page'), link.click()]);
    expect(new URL(provider.url()).origin).toBe(oidc.url);
    await provider.getByLabel('Login').fill('ada');
    await provider.getByLabel('Password').fill('not her password');
    await provider.getByRole('button', { name: 'Sign in' }).click();
    await expect(provider.getByRole('alert')).toBeVisible();
    await provider.getByLabel('Login').fill('ada');
    await provider.getByLabel('Password').fill(oidc.users[0].password);
    await provider.getByRole('button', { name: 'Sign in' }).click();
    const answer = provider.waitForRequest(`${server.url}/oauth/callback**`);
    await provider.getByRole('button', { name: 'Allow' }).click();
    await provider.waitForURL(`${server.url}/connect/session/**`);
    await expect(provider.getByRole('heading', { name: 'OpenID Connect is connected' })).toBeVisible();
    const [callback, outcome] = [(await answer).url(), provider.url()];
    await provider.close();
    await expect(dialog.getByText('Connected.')).toBeVisible();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await expect(page.getByText('Active').first()).toBeVisible();

    // Neither address gives anything away to another browser, and a second answer is none.
    expect((await fetch(callback)).status).toBe(400);
    expect((await fetch(outcome)).status).toBe(404);
    const replayed = await context.request.get(callback);
    expect(replayed.url()).toBe(outcome);
  });

  await test.step('a Redmine with an API key', async () => {
    await page.goto('/#/integrations/new');
    await choose(page, 'Account', 'Bäckerei');
    await choose(page, 'Provider', 'Redmine');
    await page.getByLabel('Server').fill(redmine.url);
    await page.getByLabel('API access key').fill('0'.repeat(40));
    await page.getByRole('button', { name: 'Test connection' }).click();
    await expect(page.getByRole('alert').first()).toBeVisible();
    await page.getByLabel('API access key').fill(redmine.users[0].api_key);
    await page.getByRole('button', { name: 'Test connection' }).click();
    await expect(page.getByText('Redmine accepted the connection.')).toBeVisible();
    await page.getByRole('button', { name: 'Create integration' }).click();
    await expect(page.getByRole('heading', { name: /Redmine/ })).toBeVisible();
    await accessible(page);
  });

  await test.step('its tickets through the unified API', async () => {
    await page.getByRole('link', { name: 'Try it' }).last().click();
    await page.getByRole('button', { name: 'Run' }).click();
    const answer = page.getByRole('region', { name: 'Unified answer' }).first();
    await expect(answer.getByText('Printer on the third floor prints blank pages').first()).toBeVisible();
    const provider = page.getByRole('region', { name: 'At the provider' });
    await expect(provider.getByText('/issues.json').first()).toBeVisible();
    await expect(page.locator('body')).not.toContainText(redmine.users[0].api_key);
    await accessible(page);
  });

  await test.step('a token, shown once', async () => {
    await page.goto('/#/tokens/new');
    await page.getByRole('button', { name: 'Mint token' }).click();
    const dialog = page.getByRole('dialog');
    const secret = await dialog.locator('[data-secret]').first().textContent();
    expect(secret).toMatch(/^pbo_/);
    await accessible(page);
    await dialog.getByRole('button', { name: 'Done' }).click();
    await expect(page.locator('body')).not.toContainText(secret);
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Tokens' })).toBeVisible();
    await expect(page.locator('body')).not.toContainText(secret);
    const answer = await context.request.get(`${server.url}/v1/accounts`, { headers: { authorization: `Bearer ${secret}`, cookie: '' } });
    expect(answer.status()).toBe(200);
  });

  await test.step('what was done, and the configuration as a file', async () => {
    await page.goto('/#/audit');
    await expect(page.getByRole('row', { name: /integrations\.create/ }).first()).toBeVisible();
    await page.goto('/#/configuration');
    await page.getByRole('button', { name: 'Preview export' }).click();
    const preview = page.getByRole('region', { name: 'Preview of the export' });
    await expect(preview).toContainText('ticketing_redmine');
    await expect(preview).toContainText('omitted');
    await expect(preview).not.toContainText(redmine.users[0].api_key);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save file' }).click()]);
    expect(download.suggestedFilename()).toMatch(/\.yaml$/);
    await accessible(page);
  });

  await test.step('nothing of it is kept in the browser', async () => {
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    expect(stored).not.toMatch(/pb[oirwk]_/);
    const cookie = (await context.cookies()).find((one) => one.name.includes('patchbay_session'));
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
  });
});

test('a refusal at the provider is told, and the next attempt works', async ({ app: page, context, oidc, management }) => {
  const account = (await management('POST', '/v1/accounts', { name: 'refusal', fullname: 'Refusal Ltd' })).result.account.id;
  const apps = (await management('GET', '/v1/x/provider-apps')).result;
  if (!apps.some((app) => app.issuer === oidc.issuer)) {
    await management('POST', '/v1/x/provider-apps', { provider: 'identity_openid', name: 'peer', issuer: oidc.issuer, client_id: oidc.client_id });
  }
  const made = (await management('POST', `/v1/integrations/${account}`, { name: 'people', provider_config: { type: 'identity_openid', issuer: oidc.issuer, credential: { type: 'o_auth_user' } } })).result.integration.id;
  await page.goto(`/#/integrations/${account}/${made}?do=connect`);
  const dialog = page.getByRole('dialog', { name: /^Connect/ });
  for (const allow of [false, true]) {
    const link = dialog.getByRole('link', { name: /^Continue at/ });
    const [provider] = await Promise.all([context.waitForEvent('page'), link.click()]);
    const login = provider.getByLabel('Login');
    await expect(login.or(provider.getByRole('heading', { name: 'Allow access' }))).toBeVisible();
    if (await login.isVisible()) {
      await login.fill('zoe');
      await provider.getByLabel('Password').fill(oidc.users[1].password);
      await provider.getByRole('button', { name: 'Sign in' }).click();
    }
    await provider.getByRole('button', { name: allow ? 'Allow' : 'Deny' }).click();
    await provider.waitForURL('**/connect/session/**');
    await provider.close();
    if (!allow) {
      await expect(dialog.getByRole('alert')).toBeVisible();
      await dialog.getByRole('button', { name: 'Try again' }).first().click();
    }
  }
  await expect(dialog.getByText('Connected.')).toBeVisible();
});

test('what another program changes appears by itself', async ({ app: page, management }) => {
  await page.goto('/#/accounts');
  await expect(page.getByRole('heading', { name: 'Accounts' })).toBeVisible();
  await management('POST', '/v1/accounts', { name: 'from-outside', fullname: 'Made elsewhere' });
  await expect(page.getByRole('row', { name: 'Made elsewhere' })).toBeVisible({ timeout: 10_000 });
});

test('a deleted account can be brought back', async ({ app: page }) => {
  await createAccount(page, 'Shortly gone');
  await page.getByRole('row', { name: 'Shortly gone' }).click();
  await page.getByRole('button', { name: 'Delete' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /^Delete/ }).click();
  await expect(page.getByRole('row', { name: 'Shortly gone' })).toHaveCount(0);
  // The one of the deletion; making the account can be undone too.
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await expect(page.getByRole('row', { name: 'Shortly gone' })).toBeVisible();
});

test('a wrong token is told and opens nothing', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Organization token').fill('pbo_nonsense');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByRole('navigation', { name: 'Screens' })).toHaveCount(0);
  await accessible(page);
});

test('signing out ends the session', async ({ page, organization, context, server }) => {
  await signIn(page, organization.token.access.secret);
  const cookie = (await context.cookies()).find((one) => one.name.includes('patchbay_session'));
  await page.getByRole('button', { name: /Acme|Session|Sign out/ }).first().click();
  const out = page.getByRole('menuitem', { name: 'Sign out' }).or(page.getByRole('button', { name: 'Sign out' }));
  if (await out.first().isVisible()) await out.first().click();
  await expect(page.getByLabel('Organization token')).toBeVisible();
  const answer = await context.request.post(`${server.url}/rpc`, { headers: { cookie: `${cookie.name}=${cookie.value}`, origin: server.url }, data: { command: 'accounts.list', params: {} } });
  expect(answer.status()).toBe(401);
});
