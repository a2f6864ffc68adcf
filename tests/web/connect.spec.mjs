// The hosted connect pages: a customer's person with a link, in a browser that knows nobody, at a real OpenID provider and a
// real Redmine. They have no script, so the whole way is gone with scripts switched off too, and with the keyboard alone.
import { join } from 'node:path';
import { Installation, api, freePort, root, simulated } from '../peers/patchbay.mjs';
import { accessible, expect, test } from './world.mjs';

const LOOKS = [
  { name: 'light', colorScheme: 'light' },
  { name: 'dark', colorScheme: 'dark' },
  { name: 'phone', colorScheme: 'light', viewport: { width: 360, height: 640 } },
];

let number = 0;
/** An account of its own, with the peer as provider app. */
async function customer(management, oidc, server) {
  const apps = (await management('GET', '/v1/x/provider-apps')).result;
  if (!apps.some((app) => app.name === 'connect-peer')) {
    const { client_id, client_secret } = oidc.confidential;
    await management('POST', '/v1/x/provider-apps', { provider: 'identity_openid', name: 'connect-peer', issuer: oidc.issuer, client_id, client_secret, redirect_uris: [`${server.url}/oauth/callback`] });
  }
  number += 1;
  return (await management('POST', '/v1/accounts', { name: `globex-${number}`, fullname: `Globex ${number}` })).result.account.id;
}

const linkTo = async (management, body) => (await management('POST', '/v1/x/connect-links', body)).result.url;

/** A browser that knows nobody, on one page. */
async function holder(browser, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  return { context, page: await context.newPage() };
}

/** The newest page of a consent that this tab was at. */
async function latest(page, server) {
  const history = await (await page.context().newCDPSession(page)).send('Page.getNavigationHistory');
  return history.entries.map((entry) => entry.url).filter((url) => url.startsWith(`${server.url}/connect/session/`) && !url.endsWith('/go')).pop();
}

/** What the person does at the provider who agrees there. */
async function signedIn(page, oidc) {
  await page.getByLabel('Login').fill('ada');
  await page.getByLabel('Password').fill(oidc.users[0].password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Allow' }).click();
}

/** No target that is tapped is smaller than a finger, and nothing is wider than the screen. */
async function handy(page) {
  const small = await page.locator('main a, main button, main summary, main input:not([type=hidden]):not([type=checkbox]):not([type=radio]), main label:has([type=radio]), main select').evaluateAll((all) =>
    all.map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()]).filter(([, box]) => box.height < 44).map(([html]) => html));
  expect(small).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is cut off to the right').toBe(true);
}

for (const { name, ...look } of LOOKS) {
  test(`every page is accessible: ${name}`, async ({ browser, server, management, oidc }) => {
    test.slow();
    const account = await customer(management, oidc, server);
    const points = (await management('GET', '/v1/integration-points')).result;
    if (!points.some((point) => point.name === 'connect-desks')) {
      const policy = { providers: { ticketing_redmine: { locked: { default_project: 'support' } } } };
      await management('POST', '/v1/integration-points', { name: 'connect-desks', connector: 'ticketing', environments: { prod: ['*'], test: ['*'] }, x_patchbay: { policy } });
    }
    const { page, context } = await holder(browser, look);
    const check = async (heading) => {
      await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
      await accessible(page);
      await handy(page);
    };
    await page.goto(await linkTo(management, { account_id: account, integration_point_id: 'connect-desks' }));
    await check('What do you want to connect?');
    await page.getByRole('link', { name: 'Redmine' }).click();
    await check('Connect Redmine');
    await page.getByLabel('Server').fill('redmine.example.com');
    await page.getByRole('button', { name: 'Connect' }).click();
    await expect(page.getByRole('alert')).toBeVisible();
    await check('Connect Redmine');
    await page.getByRole('link', { name: 'User name and password' }).click();
    await check('Connect Redmine');
    await page.getByRole('link', { name: 'Choose another system' }).click();
    await page.getByRole('link', { name: 'Jira', exact: true }).click();
    await check(/^Connect Jira/);

    await page.goto(await linkTo(management, { account_id: account, provider: 'identity_openid' }));
    await check('Connect OpenID Connect');
    await page.getByLabel('Issuer').fill(oidc.issuer);
    await page.getByRole('button', { name: 'Next' }).click();
    await check('Continue at OpenID Connect');
    // By a code on another device, and back; then no, and then yes.
    await page.getByRole('button', { name: 'Use a code on another device instead' }).click();
    await expect(page.getByRole('img', { name: 'QR code of the address' })).toBeVisible();
    await check('Enter a code at OpenID Connect');
    await page.getByRole('button', { name: /in this browser instead$/ }).click();
    await page.getByRole('link', { name: /^Continue to/ }).click();
    await expect(page.getByLabel('Login')).toBeVisible();
    const waiting = await context.newPage();
    await waiting.goto(await latest(page, server));
    await expect(waiting.getByRole('heading', { name: 'Waiting for OpenID Connect' })).toBeVisible();
    await accessible(waiting);
    await handy(waiting);
    await waiting.close();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await check('OpenID Connect was not connected');
    await expect(page.getByRole('alert')).toContainText('You said no');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await check('Nothing was connected');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('link', { name: /^Continue to/ }).click();
    await signedIn(page, oidc);
    await check('OpenID Connect is connected');
    const outcome = page.url();
    await page.getByText(/^Or do it at/).click();
    await check('OpenID Connect is connected');
    await page.getByRole('link', { name: 'Your receipt' }).click();
    await check('What you agreed to');
    await page.goto(`${server.url}/connect/pbc_rubbish`);
    await check('This link does not work');
    const stranger = await holder(browser, look);
    await stranger.page.goto(outcome);
    await expect(stranger.page.getByRole('heading', { name: 'Nothing to see here' })).toBeVisible();
    await accessible(stranger.page);
    await handy(stranger.page);
    await stranger.context.close();
    await context.close();
  });
}

/** From the link to the provider and back, by keys alone: Tab until the wanted thing has the focus, then type or press. */
async function byKeyboard(page, oidc) {
  const reach = async (name) => {
    for (let step = 0; step < 25; step += 1) {
      const focused = page.locator(':focus');
      if ((await focused.count()) === 1) {
        const names = await focused.evaluate((one) => [one.textContent, ...[...(one.labels ?? [])].map((label) => label.textContent)].map((text) => text.trim()));
        if (names.some((text) => text.startsWith(name))) return;
      }
      await page.keyboard.press('Tab');
    }
    throw new Error(`${name} cannot be reached with Tab on ${await page.title()}`);
  };
  await reach('Issuer');
  await page.keyboard.type(oidc.issuer);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Continue at OpenID Connect' })).toBeVisible();
  await reach('Continue to');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await reach('Login');
  await page.keyboard.type('ada');
  await reach('Password');
  await page.keyboard.type(oidc.users[0].password);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Allow access' })).toBeVisible();
  await reach('Allow');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: /connected/i })).toBeVisible();
}

for (const javaScriptEnabled of [true, false]) {
  test(`a consent with the keyboard alone, scripts ${javaScriptEnabled ? 'on' : 'off'}`, async ({ browser, server, management, oidc }) => {
    const account = await customer(management, oidc, server);
    const link = await linkTo(management, { account_id: account, provider: 'identity_openid' });
    const { page, context } = await holder(browser, { javaScriptEnabled });
    await page.goto(link);
    if (javaScriptEnabled) {
      await byKeyboard(page, oidc);
    } else {
      await page.getByLabel('Issuer').fill(oidc.issuer);
      await page.getByRole('button', { name: 'Next' }).press('Enter');
      await page.getByRole('link', { name: /^Continue to/ }).press('Enter');
      await page.getByLabel('Login').fill('ada');
      await page.getByLabel('Password').fill(oidc.users[0].password);
      await page.getByRole('button', { name: 'Sign in' }).press('Enter');
      await page.getByRole('button', { name: 'Allow' }).press('Enter');
      await expect(page.getByRole('heading', { name: /connected/i })).toBeVisible();
    }
    const made = (await management('GET', `/v1/integrations/${account}`)).result;
    expect(made.map((one) => one.x_patchbay.status)).toEqual(['active']);
    await page.goto(link);
    await expect(page.getByRole('heading', { name: 'This link does not work' })).toBeVisible();
    expect(server.log, 'the link is in no log').not.toContain(link.split('/').pop());
    await context.close();
  });
}

test('a key that is wrong is told, and the right one connects', async ({ browser, management, redmine }) => {
  const account = (await management('POST', '/v1/accounts', { name: 'initech', fullname: 'Initech' })).result.account.id;
  const url = await linkTo(management, { account_id: account, provider: 'ticketing_redmine', return_url: 'https://app.example.com/done' });
  const { page, context } = await holder(browser, { javaScriptEnabled: false });
  await page.goto(url);
  await page.getByLabel('Server').fill(redmine.url);
  await page.getByLabel('API access key').fill('0'.repeat(40));
  await page.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByLabel('Server')).toHaveValue(redmine.url);
  await expect(page.getByLabel('API access key')).toHaveValue('');
  await page.getByLabel('API access key').fill(redmine.users[0].api_key);
  await page.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByRole('heading', { name: 'Redmine is connected' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Continue' })).toHaveAttribute('href', 'https://app.example.com/done');
  expect((await management('GET', `/v1/integrations/${account}`)).result).toHaveLength(1);
  await context.close();
});

test('an administrator sends a link, sees it, and takes it back', async ({ app: page, browser, management, server }) => {
  const account = (await management('POST', '/v1/accounts', { name: 'umbrella', fullname: 'Umbrella' })).result.account.id;
  const picture = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const { fullname } = (await management('GET', '/v1/organization')).result;
  await management('PUT', '/v1/organization', { fullname, picture });
  await page.goto(`/#/accounts?sel=${account}`);
  const section = page.getByRole('region', { name: 'Connect links' });
  await section.getByRole('button', { name: 'Send a link' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'What to connect' }).click();
  await dialog.getByRole('combobox', { name: 'What to connect' }).fill('Redmine');
  await page.getByRole('option', { name: /Redmine/ }).first().click();
  await accessible(page);
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  const url = (await dialog.locator('[data-secret]').textContent()).trim();
  expect(url.startsWith(`${server.url}/connect/pbc_`)).toBe(true);
  await expect(dialog.getByRole('img', { name: 'QR code of the link' })).toBeVisible();
  await accessible(page);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(page.locator('body')).not.toContainText(url);
  await expect(section.getByText('Works', { exact: true })).toBeVisible();

  const theirs = await holder(browser);
  await theirs.page.goto(url);
  await expect(theirs.page.getByRole('heading', { name: 'Connect Redmine' })).toBeVisible();
  await expect(theirs.page.locator('img.logo')).toHaveAttribute('src', picture);

  await section.getByRole('button', { name: /^Revoke/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke link' }).click();
  await expect(section.getByText('Revoked', { exact: true })).toBeVisible();
  await theirs.page.reload();
  await expect(theirs.page.getByRole('heading', { name: 'This link does not work' })).toBeVisible();
  await theirs.context.close();
});

test('a person connects by a code on another device', async ({ app: page, browser, management, oidc, server }) => {
  const account = await customer(management, oidc, server);
  const config = { type: 'identity_openid', issuer: oidc.issuer, credential: { type: 'o_auth_user' } };
  const made = (await management('POST', `/v1/integrations/${account}`, { name: 'people', provider_config: config })).result.integration.id;
  await page.goto(`/#/integrations/${account}/${made}?do=connect`);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Enter a code on any device' }).click();
  const code = (await dialog.getByLabel('Code', { exact: true }).textContent()).trim();
  await expect(dialog.getByRole('img', { name: /^QR code/ })).toBeVisible();
  await accessible(page);

  // The other device has nothing but the address and the code.
  const { page: phone, context } = await holder(browser, LOOKS[2]);
  await phone.goto(`${oidc.issuer}/device`);
  await phone.locator('input[name=user_code]').fill(code);
  await phone.getByRole('button', { name: 'Continue' }).click();
  await expect(phone.getByText(code)).toBeVisible();
  await phone.getByRole('button', { name: 'Continue' }).click();
  await phone.getByLabel('Login').fill('ada');
  await phone.getByLabel('Password').fill(oidc.users[0].password);
  await phone.getByRole('button', { name: 'Sign in' }).click();
  await phone.getByRole('button', { name: 'Allow' }).click();
  await expect(phone.getByRole('heading', { name: 'Your device is connected' })).toBeVisible();
  await expect(dialog.getByText('Connected.')).toBeVisible({ timeout: 20_000 });
  await context.close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`the page of a code looks again by itself, scripts ${javaScriptEnabled ? 'on' : 'off'}`, async ({ browser, server, management, oidc }) => {
    const account = await customer(management, oidc, server);
    const { page, context } = await holder(browser, { javaScriptEnabled });
    await page.goto(await linkTo(management, { account_id: account, provider: 'identity_openid' }));
    await page.getByLabel('Issuer').fill(oidc.issuer);
    await page.getByRole('button', { name: 'Next' }).press('Enter');
    await page.getByRole('button', { name: 'Use a code on another device instead' }).press('Enter');
    const code = (await page.locator('strong.code').textContent()).trim();
    // Whoever does not want the page to move asks for that.
    await page.getByRole('link', { name: 'Do not load it by itself' }).press('Enter');
    await expect(page.getByRole('link', { name: 'Look again' })).toBeVisible();
    await expect(page.locator('strong.code')).toHaveText(code);
    await page.getByRole('link', { name: 'Look again' }).press('Enter');

    const { page: phone, context: elsewhere } = await holder(browser, LOOKS[2]);
    await phone.goto(`${oidc.issuer}/device`);
    await phone.locator('input[name=user_code]').fill(code);
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByRole('button', { name: 'Continue' }).click();
    await signedIn(phone, oidc);
    await expect(phone.getByRole('heading', { name: 'Your device is connected' })).toBeVisible();
    await expect(page.getByRole('heading', { name: 'OpenID Connect is connected' }), 'nobody pressed anything').toBeVisible({ timeout: 30_000 });
    const made = (await management('GET', `/v1/integrations/${account}`)).result;
    expect(made.map((one) => one.x_patchbay.status)).toEqual(['active']);
    await elsewhere.close();
    await context.close();
  });
}

test('a role is made at AWS as the page says', async ({ browser }) => {
  const aws = await simulated('storage_aws_s3');
  const rehearsal = new Installation();
  const { token } = JSON.parse(rehearsal.run('init', '--sample', '--output', 'json')).organization;
  const server = await rehearsal.serve('--rehearse', aws.listening);
  const management = api(server.url, token.access.secret);
  const [{ client_id, client_secret, sample_config }] = aws.providers;
  await management('POST', '/v1/x/provider-apps', { provider: 'storage_aws_s3', client_id, client_secret });
  const account = (await management('POST', '/v1/accounts', { name: 'hooli', fullname: 'Hooli' })).result.account.id;
  for (const { name, ...look } of LOOKS) {
    const { page, context } = await holder(browser, { ...look, javaScriptEnabled: name !== 'phone' });
    await page.goto(await linkTo(management, { account_id: account, provider: 'storage_aws_s3' }));
    const policy = JSON.parse(await page.getByLabel('Put this trust policy').inputValue());
    const external_id = policy.Statement[0].Condition.StringEquals['sts:ExternalId'];
    if (name !== 'phone') {
      await accessible(page);
      await handy(page);
    }
    const key = async (body) => (await fetch(`${aws.control}/keys`, { method: 'POST', body: JSON.stringify({ provider: 'storage_aws_s3', way: 'aws_role', ...body }) })).json();
    const enter = async ({ role_arn }) => {
      await page.getByLabel('Bucket').fill(sample_config.bucket);
      await page.getByLabel('Region').fill(sample_config.region);
      await page.getByLabel('Role ARN').fill(role_arn);
      await page.getByRole('button', { name: 'Connect' }).press('Enter');
    };
    await enter(await key({}));
    await expect(page.getByRole('alert'), 'it trusts another external id').toContainText('trust policy');
    if (name !== 'phone') await accessible(page);
    await enter(await key({ external_id }));
    await expect(page.getByRole('heading', { name: 'Amazon S3 is connected' })).toBeVisible();
    await context.close();
  }
  expect(await server.stop()).toBe(0);
  rehearsal.close();
  await aws.close();
});

test('of several places one is chosen, with the keyboard alone and without a script', async ({ browser }) => {
  const xero = await simulated('accounting_xero');
  const rehearsal = new Installation();
  const { token } = JSON.parse(rehearsal.run('init', '--sample', '--output', 'json')).organization;
  // This provider knows this computer by its name alone.
  const port = await freePort();
  const home = `http://localhost:${port}`;
  const server = await rehearsal.serve('--rehearse', xero.listening, '--listen', `127.0.0.1:${port}`, '--public-url', home);
  const management = api(server.url, token.access.secret);
  const [{ client_id, client_secret, person }] = xero.providers;
  const redirect_uris = [`${home}/oauth/callback`];
  const order = (path, body) => fetch(`${xero.control}${path}`, { method: 'POST', body: JSON.stringify({ provider: 'accounting_xero', ...body }) });
  await order('/clients', { redirect_uris });
  await management('POST', '/v1/x/provider-apps', { provider: 'accounting_xero', client_id, client_secret, redirect_uris });
  const account = (await management('POST', '/v1/accounts', { name: 'hooli', fullname: 'Hooli' })).result.account.id;
  for (const { name, ...look } of LOOKS) {
    const { page, context } = await holder(browser, { ...look, javaScriptEnabled: name !== 'phone' });
    await page.goto(await linkTo(management, { account_id: account, provider: 'accounting_xero' }));
    await page.getByRole('button', { name: 'Next' }).press('Enter');
    await order('/faults', { fault: 'places', count: 3 });
    await page.getByRole('link', { name: /^Continue to/ }).press('Enter');
    await page.getByLabel('Login').fill(person.login);
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Sign in' }).press('Enter');
    await page.getByRole('button', { name: 'Allow' }).press('Enter');
    await expect(page.getByRole('heading', { name: 'Which one at Xero?' })).toBeVisible();
    await expect(page.getByRole('radio')).toHaveCount(3);
    if (name !== 'phone') {
      await accessible(page);
      await handy(page);
    }
    await page.screenshot({ path: join(root, `.cache/screenshots/connect-choose-${name}.png`), fullPage: true });
    await page.getByRole('radio').first().press('ArrowDown');
    await expect(page.getByRole('radio').nth(1)).toBeChecked();
    await page.getByRole('radio').nth(1).press('Enter');
    await expect(page.getByRole('heading', { name: 'Xero is connected' })).toBeVisible();
    await context.close();
  }
  expect(await server.stop()).toBe(0);
  rehearsal.close();
  await xero.close();
});
