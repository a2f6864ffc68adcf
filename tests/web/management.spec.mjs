// The management plane by hand: roles that narrow, points with a preview, the undo of the audit log, webhooks with their log.
import { createServer } from 'node:http';
import { accessible, expect, signIn, test } from './world.mjs';

async function save(page, verb) {
  await page.getByRole('button', { name: verb, exact: true }).click();
}

test('a role narrows what its member sees', async ({ app: page, management, browser, server }) => {
  await management('POST', '/v1/accounts', { name: 'gold-one', fullname: 'Gold customer', labels: ['gold'] });
  await management('POST', '/v1/accounts', { name: 'plain-one', fullname: 'Plain customer' });

  await page.goto('/#/members/roles/new');
  await page.getByLabel('Role', { exact: true }).fill('Gold desk');
  await page.getByLabel('May do').selectOption('viewer');
  await page.getByLabel('Only with a label').fill('gold');
  await expect(page.getByText('It reaches all accounts with label gold.')).toBeVisible();
  await expect(page.getByRole('table', { name: 'What Viewer allows' })).toBeVisible();
  await accessible(page);
  await save(page, 'Create role');
  await expect(page.getByRole('row', { name: /Gold desk/ })).toBeVisible();
  await accessible(page);

  await page.goto('/#/members/new');
  await page.getByLabel('E-mail', { exact: true }).fill('grace@example.com');
  await page.getByLabel('Gold desk').check();
  await page.getByLabel('Member', { exact: true }).last().uncheck();
  await page.getByLabel('Set one now').check();
  await page.getByLabel('First password').fill('korrekt-Pferd-71-Batterie');
  await save(page, 'Add member');
  await expect(page.getByRole('row', { name: /grace@example.com/ })).toBeVisible();

  const { result } = await management('POST', `/v1/auth/logon/${(await management('GET', '/v1/organization')).result.id}`, { name: 'grace@example.com', secret: 'korrekt-Pferd-71-Batterie' });
  const context = await browser.newContext({ baseURL: server.url });
  const theirs = await context.newPage();
  await signIn(theirs, result.token.access.secret);
  await theirs.goto('/#/accounts');
  await expect(theirs.getByRole('row', { name: /Gold customer/ })).toBeVisible();
  await expect(theirs.getByRole('row', { name: /Plain customer/ })).toHaveCount(0);
  await expect(theirs.getByRole('link', { name: 'Create account' })).toHaveCount(0);
  await context.close();
});

test('a change is taken back where it was said, and in the audit log', async ({ app: page, management }) => {
  const { id } = (await management('POST', '/v1/accounts', { name: 'undone', fullname: 'Before the change' })).result.account;
  await page.goto(`/#/accounts/${id}/edit`);
  await page.getByLabel('Account', { exact: true }).fill('After the change');
  await save(page, 'Save account');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('Undone.')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Before the change' })).toBeVisible();

  await page.goto(`/#/audit?filter=${encodeURIComponent(`object_id[eq]${id}`)}`);
  await page.getByRole('row', { name: /undo/ }).first().click();
  const change = page.getByRole('complementary', { name: 'Event' });
  await expect(change.getByText('Before the change').first()).toBeVisible();
  await expect(change.getByText('After the change').first()).toBeVisible();
  await accessible(page);
  await change.getByRole('button', { name: 'Redo' }).click();
  await expect.poll(async () => (await management('GET', `/v1/accounts/${id}`)).result.fullname).toBe('After the change');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export' }).click().then(() => page.getByRole('menuitem', { name: 'As CSV' }).click())]);
  expect(download.suggestedFilename()).toMatch(/\.csv$/);
});

test('a point tells whom it would refuse before it is saved', async ({ app: page, management }) => {
  const account = (await management('POST', '/v1/accounts', { name: 'ruled', fullname: 'Ruled Ltd' })).result.account.id;
  const point = (await management('POST', '/v1/integration-points', { name: 'ruled', fullname: 'Ruled tickets', connector: 'ticketing', environments: { prod: ['*'], test: ['*'] } })).result.id;
  await management('POST', `/v1/integrations/${account}`, { name: 'mock', fullname: 'Mock of Ruled', integration_point_id: point, provider_config: { type: 'ticketing_mock_ticketing' } });
  await page.goto(`/#/points/${point}/edit`);
  await expect(page.getByText(/keeps to it/)).toBeVisible();
  await page.getByRole('group', { name: 'Providers allowed in prod', exact: true }).getByText('None').click();
  await expect(page.getByText('Calls of 1 integration are refused under this rule')).toBeVisible();
  await accessible(page);
  await save(page, 'Save integration point');
  await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('row', { name: /Ruled tickets/ })).toBeVisible();
});

test('a webhook is told of a change and its log says so', async ({ app: page, management }) => {
  const heard = [];
  const receiver = createServer((request, response) => {
    heard.push(request.headers['x-synqly-signature']);
    request.resume();
    response.end('thank you');
  });
  await new Promise((ready) => receiver.listen(0, '127.0.0.1', ready));
  try {
    await page.goto('/#/organization/webhooks/new');
    await page.getByLabel('Webhook', { exact: true }).fill('Receiver');
    await page.getByLabel('URL', { exact: true }).fill(`http://127.0.0.1:${receiver.address().port}/in`);
    await page.getByRole('button', { name: 'Generate a secret' }).click();
    await accessible(page);
    await save(page, 'Add webhook');
    await expect(page.getByRole('row', { name: /Receiver/ })).toBeVisible();
    await management('POST', '/v1/accounts', { name: 'told', fullname: 'Told of' });
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(heard[0]).toMatch(/^sha256=[0-9a-f]{64}$/);
    await page.getByRole('link', { name: 'Delivery log' }).click();
    const row = page.getByRole('row', { name: /Account created.*Delivered/ }).first();
    await expect(row).toBeVisible();
    await row.click();
    await expect(page.getByText('thank you')).toBeVisible();
    await accessible(page);
    const before = heard.length;
    await page.getByRole('button', { name: 'Send again' }).click();
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBeGreaterThan(before);
  } finally {
    receiver.close();
  }
});
