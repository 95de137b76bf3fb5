/** Who may see what: the login of the page, and its end. */

import type { Page } from "playwright-core";
import { expect, test } from "vitest";

import { audited } from "./axe.ts";
import { complaints, GUARDED, LOCKED, open, PASSWORD, patiently, picture, RECENT, signIn, TOKEN, USERNAME, watched } from "./browser.ts";
import { prefixed } from "./prefix.ts";

const login = (page: Page) => page.locator(".login");

/** What a script of the page can read. */
const readable = (page: Page): Promise<string> =>
  page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML]));

const giveName = async (page: Page, password = PASSWORD) => {
  await login(page).getByLabel("User name").fill(USERNAME);
  await login(page).getByLabel("Password").fill(password);
  await login(page).getByRole("button").click();
};

test("with a token it shows nothing until the token is given, and no script can read the session", async () => {
  const page = await open(`${GUARDED}/`);
  await login(page).waitFor();
  expect(await login(page).locator("input").count()).toBe(1);
  await signIn(page, "wrong");
  await login(page).locator(".bad", { hasText: "wrong" }).waitFor();
  for (const part of ["[data-panel]", ".alert", ".check", ".banner"]) expect(await page.locator(part).count(), part).toBe(0);
  await signIn(page);
  await page.locator('[data-panel="2"]').waitFor();
  await page.locator(".alert", { hasText: "AppDown" }).waitFor();
  expect(await login(page).count()).toBe(0);

  const cookies = await page.context().cookies();
  expect(cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite])).toEqual([[true, "Strict"]]);
  const known = await readable(page);
  for (const secret of [TOKEN, cookies[0]?.value ?? ""]) expect(known).not.toContain(secret);

  // The session outlasts the page, in every tab.
  await page.reload();
  await page.locator(".alert", { hasText: "AppDown" }).waitFor();
  expect(await login(page).count()).toBe(0);
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("a session that ends leads to the login, and from there to the same view", async () => {
  const view = `explore?q=up&as=table&${RECENT}`;
  const page = await open(`${LOCKED}/#/${view}`, { theme: "light" });
  await login(page).waitFor();
  await picture(page, "login");
  await giveName(page, "wrong");
  await login(page).locator(".bad").waitFor();
  await giveName(page);
  await page.locator(".explore td").first().waitFor();
  expect(new URL(page.url()).hash).toBe(`#/${view}`);

  const other = watched(await page.context().newPage());
  await other.goto(`${LOCKED}/`);
  await other.locator('[data-panel="2"]').waitFor();
  await other.getByRole("button", { name: "Sign out" }).click();
  await login(other).waitFor();
  expect(await other.getByRole("button", { name: "Sign out" }).count()).toBe(0);
  // Its session has ended, so nothing remains of what it showed.
  await login(page).waitFor();
  expect(await page.locator(".explore").count()).toBe(0);
  expect(new URL(page.url()).hash).toBe(`#/${view}`);
  await giveName(page);
  await page.locator(".explore td").first().waitFor();
  await patiently(async () => expect(await login(page).count()).toBe(0));
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("a public status is shown without credentials, and nothing else", async () => {
  for (const [theme, language, failing] of [["light", "en-GB", "Failing"], ["dark", "fr-FR", "En panne"]] as const) {
    const page = await open(`${LOCKED}/#/details`, { theme, language, width: theme === "dark" ? 360 : 1440 });
    await page.locator(".banner.failing h1", { hasText: failing }).waitFor();
    await page.locator(".check.failed").waitFor();
    await login(page).waitFor();
    const shown = await page.locator("body").innerText();
    for (const name of ["AppDown", "app", "refused", "127.0.0.1"]) expect(shown.split(/[^\w.]+/)).not.toContain(name);
    expect(await page.title()).toContain(failing);
    expect((await audited(page)).found).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(theme === "dark" ? 360 : 1440);
    await picture(page, `public-${theme}`);
    await page.context().close();
  }
  // The other Vigie is not public.
  const page = await open(`${GUARDED}/`);
  await login(page).waitFor();
  expect(await page.locator(".banner").count()).toBe(0);
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("the browser itself does not ask for a password", async () => {
  const page = await open("about:blank");
  const challenges = new Set<string | undefined>();
  page.on("response", (response) => response.status() === 401 && challenges.add(response.headers()["www-authenticate"]));
  await page.goto(`${LOCKED}/`);
  await login(page).waitFor();
  await patiently(async () => expect([...challenges]).toEqual(['Cookie realm="vigie"']));
  await page.context().close();
});

test("a session works behind a path prefix", async () => {
  const proxy = await prefixed("/vigie", GUARDED);
  const page = await open(`${proxy.address}/vigie/`);
  await signIn(page);
  await page.locator(".alert", { hasText: "AppDown" }).waitFor();
  expect((await page.context().cookies()).map(({ path }) => path)).toEqual(["/vigie"]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await login(page).waitFor();
  expect(await page.context().cookies()).toEqual([]);
  await page.context().close();
  await proxy.close();
  expect(complaints).toEqual([]);
});
