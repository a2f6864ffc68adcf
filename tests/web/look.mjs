// Takes pictures of every screen from the built interface, with the answers of fixtures.mjs and the content security policy
// of the application, and runs the accessibility rules on each:  node tests/web/look.mjs FOLDER [screen ...]
import { createReadStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import { chromium } from '@playwright/test';
import { answer, ids, works, world } from './fixtures.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'ui/dist');
const [folder = join(root, '.cache/look'), ...only] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const csp = JSON.parse(readFileSync(join(root, 'tauri.conf.json'), 'utf8')).app.security.csp;
const policy = Object.entries(csp).map(([name, value]) => `${name} ${[value].flat().join(' ')}`).join('; ');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const server = createServer((request, response) => {
  const path = new URL(request.url, 'http://x').pathname;
  const file = join(dist, path === '/' ? 'index.html' : path);
  if (!file.startsWith(dist) || !existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': policy });
  createReadStream(file).pipe(response);
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const base = `http://127.0.0.1:${server.address().port}`;

const { account, integration, broken, brokenAccount, waiting, waitingAccount, point, token, event, app, member, role, definition, webhook, delivery } = ids;
const click = (name, role = 'button') => (page) => page.getByRole(role, { name, exact: true }).first().click();
const SCREENS = {
  overview: ['#/overview'],
  accounts: ['#/accounts'],
  'accounts-selected': [`#/accounts?sel=${account}`],
  'accounts-filtered': ['#/accounts?filter=environment%5Beq%5Dtest&filter=name%5Blike%5D*a*'],
  'accounts-delete': [`#/accounts?sel=${account}`, async (page) => { await page.getByRole('button', { name: 'Delete', exact: true }).click(); await page.getByText('This also deletes').waitFor(); }],
  'accounts-new': ['#/accounts/new'],
  'accounts-taken': ['#/accounts/new', async (page) => { await page.getByLabel('Account', { exact: true }).fill('Acme'); await page.getByRole('button', { name: 'Create account' }).click(); await page.getByRole('alert').waitFor(); }],
  'accounts-credential': [`#/accounts?sel=${account}`, async (page) => { await click('Add')(page); await page.getByRole('dialog').waitFor(); }],
  integrations: ['#/integrations'],
  'integrations-selected': [`#/integrations?sel=${integration}`],
  'integration-detail': [`#/integrations/${brokenAccount}/${broken}`],
  'integration-revocations': [`#/integrations/${brokenAccount}/${broken}`, async (page) => { await page.getByRole('heading', { name: 'Access taken back' }).scrollIntoViewIfNeeded(); await page.locator('summary', { hasText: 'What happened' }).first().click(); }],
  'integration-disconnect': [`#/integrations/${account}/${integration}`, async (page) => { await click('More')(page); await page.getByRole('menuitem', { name: 'Disconnect' }).click(); await page.getByRole('dialog').getByText('asked to end').waitFor(); }],
  'overview-end': ['#/overview', async (page) => { await page.getByRole('button', { name: /End the access there/ }).first().click(); await page.getByRole('dialog').waitFor(); }],
  'deadlines-subscribe': ['#/deadlines', async (page) => { await click('Subscribe')(page); await page.getByRole('dialog').getByText('You have one').waitFor(); }],
  'integration-edit': [`#/integrations/${account}/${integration}/edit`],
  'integration-connect': [`#/integrations/${waitingAccount}/${waiting}?do=connect`, (page) => page.getByRole('dialog').waitFor()],
  'integration-connect-failed': [`#/integrations/${waitingAccount}/${waiting}?do=connect`, async (page) => { await page.getByRole('dialog').waitFor(); await page.getByText('To change').waitFor(); }, { consent: 'failed' }],
  'integration-connect-choose': [`#/integrations/${waitingAccount}/${waiting}?do=connect`, async (page) => { await page.getByRole('radio', { name: 'Halcyon Trading (NZ)' }).check(); }, { consent: 'choosing' }],
  'integration-new': [`#/integrations/new?account=${account}&provider=ticketing_redmine`, async (page) => { await page.getByLabel('URL').fill('https://redmine.example.com'); await page.getByLabel('API key').fill('x'); await click('Test connection')(page); await page.getByRole('alert').waitFor(); }],
  'integration-new-jira': [`#/integrations/new?account=${account}&point=${point}&provider=ticketing_jira`, async (page) => { await click('Add')(page); }],
  points: ['#/points'],
  'points-selected': [`#/points?sel=${point}`],
  'points-edit': [`#/points/${point}/edit`],
  'points-rules': [`#/points/${point}/edit`, async (page) => { await page.locator('summary').first().click(); await page.waitForTimeout(400); await page.locator('details[open]').scrollIntoViewIfNeeded(); }],
  versions: [`#/providers/versions?sel=${definition}`],
  'integration-move': [`#/integrations/${account}/${integration}`, async (page) => { await click('Move')(page); await page.getByRole('dialog').getByText('What becomes').waitFor(); }],
  'integration-governed': [`#/integrations/new?account=${account}&point=${point}&provider=ticketing_redmine`],
  providers: ['#/providers?sel=ticketing_redmine'],
  'providers-facts': ['#/providers?sel=ticketing_redmine', async (page) => { await page.getByRole('button', { name: /^Show \d+ fact/ }).click(); await page.getByText('unverified', { exact: true }).waitFor(); }],
  manifests: ['#/providers/manifests', async (page) => { await page.getByText('Acme Desk').click(); await page.getByRole('heading', { name: 'Where secrets go' }).waitFor(); }],
  'manifests-new': ['#/providers/manifests/new', async (page) => { await click('Check')(page); await page.getByText('It can be added').waitFor(); }],
  'manifests-wrong': ['#/providers/manifests/new', async (page) => { await page.getByLabel('Manifest', { exact: true }).fill('format = 2\nid = "custom_x"\nversion = 1\n'); await click('Check')(page); await page.getByText('Line 3').waitFor(); }],
  'empty-manifests': ['#/providers/manifests', null, { empty: true }],
  rehearse: ['#/providers/rehearse?provider=ticketing_jira', async (page) => { await click('Start')(page); await page.getByText('Person agrees').waitFor(); }],
  'rehearse-start': ['#/providers/rehearse?provider=ticketing_jira'],
  'integration-proof': [`#/integrations/${account}/${integration}/proof`],
  'empty-proof': [`#/integrations/${account}/${integration}/proof`, null, { empty: true }],
  apps: [`#/providers/apps?sel=${app}`],
  'apps-new': ['#/providers/apps/new?provider=identity_openid'],
  members: [`#/members?sel=${member}`],
  'members-new': ['#/members/new'],
  'members-link': [`#/members?sel=${member}`, async (page) => { await click('Invitation link')(page); await page.getByText('Copy it now').waitFor(); }],
  'accounts-people': [`#/accounts?sel=${account}&tab=people`, (page) => page.getByRole('button', { name: /Mira/ }).click()],
  'accounts-erase': [`#/accounts?sel=${account}&tab=people`, async (page) => { await page.getByRole('button', { name: /Mira/ }).click(); await click('Erase')(page); await page.getByText('taken out of').waitFor(); }],
  'members-edit': [`#/members/${member}/edit`],
  roles: [`#/members/roles?sel=${role}`],
  'roles-new': ['#/members/roles/new'],
  'roles-edit': [`#/members/roles/${role}/edit`],
  tokens: [`#/tokens?sel=${token}`],
  'tokens-new': ['#/tokens/new'],
  'tokens-scoped': ['#/tokens/new', async (page) => { for (const name of ['Accounts', 'Connectors of integrations']) await page.getByRole('group', { name }).getByText('These').click(); await page.getByRole('combobox', { name: 'Add account' }).fill('acme'); await page.getByRole('option', { name: 'Acme Industries acme-industries ·' }).click(); await page.getByLabel('Only with a label').fill('gold'); await page.getByLabel('Ticketing').check(); await page.getByLabel('Prod').uncheck(); }],
  'tokens-minted': ['#/tokens/new', async (page) => { await click('Mint token')(page); await page.getByText('Copy it now').waitFor(); }],
  'tokens-reset': [`#/tokens?sel=${token}`, async (page) => { await click('Reset')(page); await page.getByText('This cannot be undone').waitFor(); }],
  try: [`#/try?integration=${account}/${integration}`, async (page) => { await click('Run')(page); await page.getByRole('heading', { name: 'Unified answer' }).waitFor(); }],
  'try-create': [`#/try?integration=${account}/${integration}&operation=create_ticket`],
  deadlines: ['#/deadlines?sel=secret-main-2'],
  'deadlines-all': ['#/deadlines?all=yes'],
  'empty-deadlines': ['#/deadlines', null, { empty: true }],
  audit: [`#/audit?sel=${event}`],
  configuration: ['#/configuration', async (page) => { await click('Preview export')(page); await page.getByText('left out').waitFor(); }],
  organization: ['#/organization'],
  webhooks: [`#/organization/webhooks?sel=${webhook}`],
  'webhooks-new': ['#/organization/webhooks/new', async (page) => { await click('Generate a secret')(page); await page.getByText('Copy it to the receiver').waitFor(); }],
  'webhooks-edit': [`#/organization/webhooks/${webhook}/edit`],
  'webhooks-log': [`#/organization/webhooks/${webhook}?sel=${delivery}`],
  'empty-webhooks': ['#/organization/webhooks', null, { empty: true }],
  palette: ['#/overview', async (page) => { await page.keyboard.press('Control+k'); await page.getByRole('combobox').fill('acme'); await page.waitForTimeout(300); }],
  health: ['#/overview', async (page) => { await page.getByRole('button', { name: /^Health/ }).click(); }],
  'empty-accounts': ['#/accounts', null, { empty: true }],
  'empty-integrations': ['#/integrations', null, { empty: true }],
  'empty-points': ['#/points', null, { empty: true }],
  'empty-overview': ['#/overview', null, { empty: true }],
  'sign-in': ['#/', null, { signedOut: true }],
  'first-run': ['#/', null, { desktop: true, state: 'no_store' }],
  'first-run-open': ['#/', async (page) => { await page.getByRole('button', { name: /^Open a store/ }).click(); await page.getByLabel('Store file').fill('postgres://ada:hunter2@db.halcyon.example/patchbay'); await page.getByLabel('Address of the database').waitFor(); }, { desktop: true, state: 'no_store' }],
  'first-run-remote': ['#/', async (page) => { await page.getByRole('button', { name: /^Open a store/ }).click(); await page.getByLabel('Patchbay server').click(); await page.getByLabel('Address of the server').fill('http://patchbay.example'); await click('Open store')(page); }, { desktop: true, state: 'no_store' }],
  opening: ['#/', (page) => page.getByText('has not answered yet').waitFor(), { desktop: true, state: 'opening', store: 1 }],
  locked: ['#/', null, { desktop: true, state: 'locked', refusal: { code: 'wrong_key', message: 'The key in the keyring does not open this store. Choose the key source with which the store was created.' } }],
  'locked-remote': ['#/', null, { desktop: true, state: 'locked', store: 2, refusal: { code: 'token_invalid', message: 'staging.patchbay.halcyon.example no longer takes the token of this computer. Enter a new one.' } }],
  switcher: ['#/overview', async (page) => { await page.keyboard.press('Control+o'); await page.getByRole('heading', { name: 'Stores' }).waitFor(); }, { desktop: true, state: 'open', mark: 'test' }],
  'switcher-web': ['#/overview', (page) => page.getByRole('button', { name: /^Store\. Open/ }).click()],
  'prod-delete': [`#/accounts?sel=${account}`, async (page) => { await page.getByRole('button', { name: 'Delete', exact: true }).click(); await page.getByText('This also deletes').waitFor(); }, { desktop: true, state: 'open', store: 1 }],
  offline: ['#/accounts/new', null, { desktop: true, state: 'open', store: 2, offline: true }],
  'read-only': ['#/accounts', null, { desktop: true, state: 'open', readOnly: true }],
  store: ['#/store', null, { desktop: true, state: 'open', store: 1 }],
  'store-web': ['#/store'],
  'store-backups': ['#/store/backups', null, { desktop: true, state: 'open' }],
  'store-backups-failing': ['#/store/backups', async (page) => { await click('Back up now')(page); await page.getByRole('alert').waitFor(); }],
  'store-backups-none': ['#/store/backups', null, { empty: true }],
  'store-keys': ['#/store/keys', null, { desktop: true, state: 'open', store: 1 }],
  'store-keys-web': ['#/store/keys'],
  'store-keys-rotating': ['#/store/keys', null, { desktop: true, state: 'open', rotating: true }],
  'store-keys-data': ['#/store/keys', async (page) => { await page.getByRole('region', { name: 'Data key' }).getByRole('button', { name: 'Rotate' }).click(); await page.getByRole('dialog').waitFor(); }],
  'store-keys-master': ['#/store/keys', async (page) => { await page.getByRole('region', { name: 'Master key' }).getByRole('button', { name: 'Rotate' }).click(); await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click(); await page.getByRole('alert').waitFor(); }, { desktop: true, state: 'open' }],
  'store-check': ['#/store/check', null, { desktop: true, state: 'open', work: 'running' }],
  'store-check-well': ['#/store/check', null, { desktop: true, state: 'open', work: 'well' }],
  'store-check-wrong': ['#/store/check', null, { desktop: true, state: 'open', work: 'wrong' }],
  'store-copy': ['#/store/copy', null, { desktop: true, state: 'open', work: 'copied' }],
  'handed-over': ['#/overview', (page) => page.getByRole('dialog').waitFor(), { desktop: true, state: 'open', handed: true }],
  'handed-over-early': ['#/', (page) => page.getByRole('dialog').waitFor(), { desktop: true, state: 'no_store', handed: 'early' }],
  'store-all': ['#/store/all', null, { desktop: true, state: 'open' }],
  'store-open': ['#/store/open?url=https%3A%2F%2Fstaging.patchbay.halcyon.example', (page) => page.getByRole('alert').waitFor(), { desktop: true, state: 'open' }],
  'palette-stores': ['#/overview', async (page) => { await page.keyboard.press('Control+k'); await page.getByRole('combobox').fill('switch'); await page.waitForTimeout(300); }, { desktop: true, state: 'open' }],
  'first-run-keyring': ['#/', async (page) => { await page.getByLabel('Organization').fill('Halcyon'); await click('Create store')(page); await page.getByRole('alert').waitFor(); }, { desktop: true, state: 'no_store' }],
};

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
let wrong = 0;
for (const scheme of (process.env.SCHEMES ?? 'light,dark,contrast').split(',')) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: scheme === 'light' ? 'light' : 'dark', contrast: scheme === 'contrast' ? 'more' : 'no-preference', reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC' });
  for (const [name, [hash, act, mode = {}]] of Object.entries(SCREENS)) {
    if (only.length && !only.includes(name)) continue;
    Object.assign(world, { empty: mode.empty === true, state: mode.state, store: mode.store, mark: mode.mark, offline: mode.offline, readOnly: mode.readOnly, refusal: mode.refusal, rotating: mode.rotating, work: works[mode.work], consent: mode.consent, handed: mode.handed });
    const page = await context.newPage();
    await page.clock.setFixedTime(new Date('2026-11-22T06:00:00Z'));
    const say = (text) => {
      wrong += 1;
      console.log(`${name} ${scheme}: ${text}`);
    };
    page.on('pageerror', (error) => say(`error: ${error.message}`));
    page.on('console', (message) => message.type() === 'error' && !message.text().includes('Failed to load resource') && say(`console: ${message.text()}`));
    if (mode.desktop) {
      await page.exposeFunction('coreAnswers', async (command, params) => {
        try {
          return { ok: await answer(command, params) };
        } catch (problem) {
          return { problem };
        }
      });
      await page.addInitScript(() => {
        let next = 1;
        window.__TAURI_INTERNALS__ = {
          transformCallback: () => next++,
          async invoke(command, args) {
            if (command !== 'rpc') return null;
            const { ok, problem } = await window.coreAnswers(args.command, args.params);
            if (problem) throw problem;
            return ok;
          },
        };
      });
    }
    await page.route('**/rpc', async (route) => {
      const { command, params } = route.request().postDataJSON();
      if (mode.signedOut) return route.fulfill({ status: 401, json: { status: 401, code: 'token_missing', title: 'Token missing', type: '', message: 'Nobody is signed in.', occurred_at: '', instance: '' } });
      try {
        await route.fulfill({ json: answer(command, params) });
      } catch (problem) {
        if (!problem.status) throw problem;
        await route.fulfill({ status: problem.status, json: problem });
      }
    });
    await page.route('**/session', (route) =>
      mode.signedOut ? route.fulfill({ status: 401, json: { status: 401, code: 'token_missing', title: 'Token missing', type: '', message: 'Nobody is signed in.', occurred_at: '', instance: '' } }) : route.fulfill({ json: answer('session.info') }),
    );
    await page.route('**/events', (route) => route.fulfill({ status: 200, contentType: 'text/event-stream', body: ': open\n\n' }));
    try {
      await page.goto(`${base}/${hash}`);
      await page.getByRole('heading').first().waitFor({ timeout: 8000 });
      await page.waitForTimeout(250);
      if (act) await act(page);
      await page.waitForTimeout(150);
    } catch (error) {
      say(`failed: ${error.message.split('\n')[0]}`);
    }
    await page.screenshot({ path: join(folder, `${name}-${scheme}.png`) });
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
    for (const { id, nodes } of violations) say(`axe ${id}: ${nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`).join(' | ')}`);
    await page.close();
  }
  await context.close();
}
await browser.close();
server.close();
console.log(wrong === 0 ? 'every screen is clean' : `${wrong} findings`);
process.exitCode = wrong === 0 ? 0 : 1;
