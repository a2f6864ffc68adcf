// A picture of every screen, light and dark, into .cache/screenshots; and the accessibility rules on each.
import { join } from 'node:path';
import { root } from '../peers/patchbay.mjs';
import { accessible, expect, signIn, test } from './world.mjs';

/** A small believable organization, made through the API. */
async function furnish(management, redmine) {
  const made = {};
  for (const [name, fullname, environment, labels] of [
    ['nordlicht', 'Nordlicht Reederei', 'prod', ['gold', 'eu']], ['brot', 'Bäckerei Brot & Co', 'prod', ['eu']], ['kumo', '雲ソフト', 'prod', ['apac']], ['staging', 'Staging', 'test', []],
  ]) {
    made[name] = (await management('POST', '/v1/accounts', { name, fullname, environment, labels })).result.account.id;
  }
  made.point = (await management('POST', '/v1/integration-points', {
    name: 'tickets', fullname: 'Customer tickets', description: 'Where customers keep their tickets', connector: 'ticketing', environments: { prod: ['ticketing_redmine', 'ticketing_jira'], test: ['*'] },
  })).result.id;
  const key = { type: 'token', secret: redmine.users[0].api_key };
  made.redmine = (await management('POST', `/v1/integrations/${made.nordlicht}`, { name: 'redmine', fullname: 'Redmine of Nordlicht', provider_config: { type: 'ticketing_redmine', url: redmine.url, credential: key } })).result.integration.id;
  await management('POST', `/v1/integrations/${made.brot}`, { name: 'redmine', fullname: 'Redmine of the bakery', provider_config: { type: 'ticketing_redmine', url: redmine.url, credential: { type: 'token', secret: 'f'.repeat(40) } } });
  await management('POST', `/v1/integrations/${made.staging}`, { name: 'mock', fullname: 'Mock tickets', provider_config: { type: 'ticketing_mock_ticketing' } });
  made.awaiting = (await management('POST', `/v1/integrations/${made.staging}`, { name: 'people', fullname: 'People of Staging', provider_config: { type: 'identity_openid', issuer: 'https://login.example.com', credential: { type: 'o_auth_user' } } })).result.integration.id;
  made.member = (await management('POST', '/v1/members', { name: 'ada@example.com', fullname: 'Ada Lovelace', secret: 'korrekt-Pferd-71-Batterie', role_binding: ['viewer'] })).result.member.id;
  made.role = (await management('POST', '/v1/roles', { name: 'harbour-desk', fullname: 'Harbour desk', permission_set: 'viewer' })).result.id;
  made.app = (await management('POST', '/v1/x/provider-apps', { provider: 'identity_openid', name: 'login', fullname: 'Login of Acme', issuer: 'https://login.example.com', client_id: 'acme', client_secret: 'only for looking at', secret_expires: new Date(Date.now() + 20 * 86_400_000).toISOString() })).result.id;
  made.webhook = (await management('POST', '/v1/organization/webhooks', { name: 'warehouse', fullname: 'Warehouse', environment: 'test', filters: ['account_create'], url: `${redmine.url}/nobody-takes-this`, secret: { value: 'w'.repeat(32) } })).result.id;
  await management('POST', `/v1/x/organization/webhooks/${made.webhook}/test`);
  return made;
}

let made;
test.beforeAll(async ({ management, redmine }) => {
  made = await furnish(management, redmine);
});

const SCREENS = () => ({
  overview: '#/overview',
  deadlines: '#/deadlines',
  accounts: `#/accounts?sel=${made.nordlicht}`,
  'end-users': `#/accounts?sel=${made.nordlicht}&tab=people`,
  'account-new': '#/accounts/new',
  'account-edit': `#/accounts/${made.nordlicht}/edit`,
  integrations: '#/integrations',
  integration: `#/integrations/${made.nordlicht}/${made.redmine}`,
  'integration-proof': `#/integrations/${made.nordlicht}/${made.redmine}/proof`,
  'integration-edit': `#/integrations/${made.nordlicht}/${made.redmine}/edit`,
  'integration-connect': `#/integrations/${made.staging}/${made.awaiting}?do=connect`,
  'integration-new': `#/integrations/new?account=${made.nordlicht}&provider=ticketing_jira`,
  points: '#/points',
  'point-new': '#/points/new',
  'point-edit': `#/points/${made.point}/edit`,
  providers: '#/providers?sel=ticketing_redmine',
  versions: '#/providers/versions',
  manifests: '#/providers/manifests',
  'manifest-new': '#/providers/manifests/new',
  rehearse: '#/providers/rehearse',
  'provider-apps': `#/providers/apps?sel=${made.app}`,
  'provider-app-new': '#/providers/apps/new?provider=identity_openid',
  'provider-app-edit': `#/providers/apps/${made.app}`,
  members: `#/members?sel=${made.member}`,
  'member-new': '#/members/new',
  'member-edit': `#/members/${made.member}/edit`,
  roles: `#/members/roles?sel=${made.role}`,
  'role-new': '#/members/roles/new',
  'role-edit': `#/members/roles/${made.role}/edit`,
  tokens: '#/tokens',
  'token-new': '#/tokens/new',
  'try-it': `#/try?integration=${made.nordlicht}/${made.redmine}&operation=query_tickets`,
  audit: '#/audit',
  configuration: '#/configuration',
  organization: '#/organization',
  webhooks: `#/organization/webhooks?sel=${made.webhook}`,
  'webhook-new': '#/organization/webhooks/new',
  'webhook-edit': `#/organization/webhooks/${made.webhook}/edit`,
  'webhook-log': `#/organization/webhooks/${made.webhook}`,
  store: '#/store',
  keys: '#/store/keys',
  backups: '#/store/backups',
});

/** A screen's address without what it is about. */
const patternOf = (address) => address.replace(/^#\//, '').split('?')[0].replace(/[0-9a-f-]{36}/g, ':');

/** Goes to a screen; a form that was begun on the one before asks whether it may be left. */
async function visit(page, address) {
  const id = address.match(/#\/(\w+)/)[1];
  await page.goto(`/${address}`);
  const leave = page.getByRole('button', { name: 'Leave' });
  const here = page.locator(`nav[aria-label="Screens"] a[aria-current="page"][href="#/${id}"]`);
  await expect(here.or(leave).first()).toBeVisible();
  if (await leave.isVisible()) await leave.click();
  await expect(here).toBeVisible();
  await expect(page.getByRole('main').getByRole('heading').first()).toBeVisible();
}

for (const colorScheme of ['light', 'dark']) {
  test(`every screen, ${colorScheme} @screenshots`, async ({ page, organization }) => {
    test.setTimeout(240_000);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const picture = (name) => page.screenshot({ path: join(root, '.cache/screenshots', `${name}-${colorScheme}.png`) });
    await page.goto('/');
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    await picture('sign-in');
    await signIn(page, organization.token.access.secret);
    const linked = new Set();
    for (const [name, address] of Object.entries(SCREENS())) {
      await test.step(name, async () => {
        await visit(page, address);
        await page.waitForLoadState('networkidle', { timeout: 1500 }).catch(() => {}); // events keep one request open
        if (name === 'try-it') {
          await page.getByRole('button', { name: 'Run' }).click();
          await expect(page.getByText('Printer on the third floor prints blank pages').first()).toBeVisible();
        }
        if (name === 'configuration') {
          await page.getByRole('button', { name: 'Preview export' }).click();
          await expect(page.getByRole('region', { name: 'Preview of the export' })).toBeVisible();
        }
        await picture(name);
        await accessible(page);
        for (const href of await page.locator('a[href^="#/"]').evaluateAll((all) => all.map((one) => one.getAttribute('href')))) linked.add(patternOf(href));
      });
    }
    // A screen that is added somewhere must be added here.
    for (const address of Object.values(SCREENS())) linked.delete(patternOf(address));
    expect([...linked], 'screens that a link leads to and that were not looked at').toEqual([]);
  });
}

test('a narrow window keeps everything within reach', async ({ page, organization }) => {
  await page.setViewportSize({ width: 720, height: 480 });
  await signIn(page, organization.token.access.secret);
  for (const address of Object.values(SCREENS())) {
    await visit(page, address);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(beyond, `${address} is wider than the window`).toBeLessThanOrEqual(0);
  }
});
