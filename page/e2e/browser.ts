/** The browser of the tests, and the servers that crates/vigie/tests/e2e/page.rs has started. */

import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, vi } from "vitest";

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run cargo test -p vigie --test e2e page`);
  return value;
};

export const ADMIN = setting("PAGE_ADMIN");
/** A queue with 501 waiting jobs, whose name is HTML that would run a script. */
export const QUEUE = setting("PAGE_QUEUE");
/** A queue of which seven jobs have failed, one of them with HTML as its name and in its reason. */
export const FAILING = setting("PAGE_FAILING");
export const SCREENSHOTS = setting("PAGE_SCREENSHOTS");
/** Another Vigie, which needs this token. Its alert AppDown fires. */
export const GUARDED = setting("PAGE_GUARDED");
export const TOKEN = setting("PAGE_TOKEN");
/** A third one, which needs a user name and a password. */
export const LOCKED = setting("PAGE_LOCKED");
export const USERNAME = setting("PAGE_USERNAME");
export const PASSWORD = setting("PAGE_PASSWORD");
const CHROMIUM = setting("PAGE_CHROMIUM");
const ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"];

/** Milliseconds for anything that the page waits for, on a busy machine. */
const PATIENCE = 120_000;
/** The live range is short, as the history has just begun. */
export const RECENT = "from=now-5m&to=now&refresh=5s";

let browser: Browser;
/** The errors in the console of the pages of a test. */
export const complaints: string[] = [];

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, timeout: PATIENCE });
});
afterAll(() => browser.close());
beforeEach(() => {
  complaints.length = 0;
});

/** Repeats what a refresh can interrupt, which replaces a chart whose series have changed. */
export const patiently = <T>(action: () => Promise<T>): Promise<T> => vi.waitFor(action, { timeout: PATIENCE, interval: 200 });
export const reach = (place: Locator): Promise<void> => patiently(() => place.scrollIntoViewIfNeeded());

interface Look {
  theme?: "light" | "dark";
  language?: string;
  width?: number;
  height?: number;
}

/** Notes the errors of the page. */
export const watched = (page: Page): Page => {
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", (error) => complaints.push(String(error)));
  // A status of 503 is reported too: that of /readyz while a check fails.
  const isResource = (text: string) => text.startsWith("Failed to load resource");
  page.on("console", (message) => message.type() === "error" && !isResource(message.text()) && complaints.push(message.text()));
  return page;
};

export const open = async (address: string, { theme = "dark", language = "en-GB", width = 1440, height = 1000 }: Look = {}): Promise<Page> => {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: language, reducedMotion: "reduce" });
  const page = watched(await context.newPage());
  await page.goto(address);
  return page;
};

/** Gives the token to the form of the page. */
export const signIn = async (page: Page, token = TOKEN) => {
  await page.locator(".login input").fill(token);
  await page.locator(".login button").click();
};

/** The whole page, from its beginning. */
export const picture = async (page: Page, name: string) => {
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true });
};
