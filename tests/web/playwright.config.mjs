// The interface as `patchbay serve` gives it to a browser. Debian's Chromium; nothing is downloaded.
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/snap/bin/chromium', '/usr/bin/google-chrome'];
const executablePath = process.env.CHROMIUM ?? places.find(existsSync);
if (!executablePath) throw new Error(`no Chromium at ${places.join(', ')}: install it, or name it by CHROMIUM=PATH`);

export default defineConfig({
  testDir: '.',
  outputDir: '../../.cache/playwright',
  fullyParallel: false,
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  // A project has a server of its own: the journey begins with an empty store.
  projects: [
    { name: 'journey', testMatch: 'journey.spec.mjs' },
    { name: 'screens', testIgnore: 'journey.spec.mjs' },
  ],
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath },
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    actionTimeout: 15_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
});
