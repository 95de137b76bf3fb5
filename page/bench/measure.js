/**
 * Measures the page in a browser, for `cargo xtask bench page`. Each line of the input is a command, `{"cmd": …}`; each line of the
 * output an answer to it.
 */
// @ts-check

import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"];

/** Milliseconds for anything that is waited for. */
const PATIENCE = 60_000;
/** High enough for all panels of the overview. */
const WHOLE = { width: 1440, height: 3000 };
/** Wide enough for 500 points in each of three charts side by side. */
const WINDOW = { width: 1720, height: 1000 };
/** Milliseconds for which a chart is dragged. */
const DRAG = 4_000;

/** @param {string} name */
const setting = (name) => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const ADMIN = setting("PAGE_ADMIN");
const browser = await chromium.launch({ executablePath: setting("PAGE_CHROMIUM"), args: ARGUMENTS, timeout: PATIENCE });

/** @param {{ width: number, height: number }} viewport */
const blank = async (viewport) => {
  const context = await browser.newContext({ viewport, colorScheme: "dark", locale: "en-GB" });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  return page;
};

/** Notes when all panels are drawn, in milliseconds since the navigation. */
const watch = () => {
  const look = () => {
    const panels = [...document.querySelectorAll("[data-panel]")];
    if (panels.length > 0 && panels.every((panel) => panel.querySelector(".u-over, td, .value") !== null)) {
      Object.assign(globalThis, { drawn: { at: performance.now(), panels: panels.length } });
    } else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
};

/** The overview over a day, in a browser that has nothing of it: its files in bytes, and its times in milliseconds. */
const load = async () => {
  const page = await blank(WHOLE);
  await page.addInitScript(watch);
  await page.goto(`${ADMIN}/#/?from=now-24h&to=now&refresh=`);
  await page.waitForFunction(() => "drawn" in globalThis);
  const measured = await page.evaluate(() => {
    const { at, panels } = /** @type {{ drawn: { at: number, panels: number } }} */ (/** @type {unknown} */ (globalThis)).drawn;
    const entries = /** @type {PerformanceResourceTiming[]} */ ([...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]);
    const files = entries.filter(({ name }) => new URL(name).pathname === "/" || new URL(name).pathname.startsWith("/page/"));
    const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN;
    return { files: files.length, bytes: files.reduce((sum, file) => sum + file.encodedBodySize, 0), paint, drawn: at, panels };
  });
  await page.context().close();
  return measured;
};

/** The frames a second while the selection of a chart is dragged, and the longest frame in milliseconds. */
const drag = async () => {
  const page = await blank(WINDOW);
  await page.goto(`${ADMIN}/#/bench?from=now-500m&to=now&refresh=`);
  const panels = page.locator("[data-panel]");
  await panels.first().waitFor();
  const count = await panels.count();
  for (let at = 0; at < count; at++) {
    await panels.nth(at).scrollIntoViewIfNeeded();
    await panels.nth(at).locator(".u-over").waitFor();
  }
  await page.evaluate(() => scrollTo(0, 0));
  const chart = panels.first().locator(".u-over");
  const box = await chart.boundingBox();
  if (box === null) throw new Error("the chart has no place");
  const at = (/** @type {number} */ part) => page.mouse.move(box.x + box.width * part, box.y + box.height / 2);
  await at(0.2);
  await page.mouse.down();
  await at(0.3);
  await page.evaluate(() => {
    /** @type {number[]} */
    const frames = [];
    Object.assign(globalThis, { frames });
    const note = (/** @type {number} */ time) => {
      frames.push(time);
      requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
  });
  const end = Date.now() + DRAG;
  for (let step = 0; Date.now() < end; step++) await at(0.5 + 0.4 * Math.sin(step / 15));
  const frames = await page.evaluate(() => /** @type {{ frames: number[] }} */ (/** @type {unknown} */ (globalThis)).frames.slice());
  const first = frames[0] ?? 0;
  const last = frames.at(-1) ?? 0;
  const longest = frames.slice(1).reduce((longest, time, before) => Math.max(longest, time - (frames[before] ?? time)), 0);
  const crosshairs = await page.locator(".u-cursor-x:not(.u-off)").count();
  await page.context().close();
  return { panels: count, crosshairs, frames: ((frames.length - 1) * 1000) / (last - first), longest };
};

/** Leaves the page open, as someone does who watches it. */
const open = async () => {
  const page = await blank({ width: 1440, height: 1000 });
  await page.goto(`${ADMIN}/`);
  await page.locator('[data-panel="2"] .u-over').waitFor();
  return {};
};

/** @type {Record<string, () => Promise<object>>} */
const COMMANDS = { load, drag, open };

for await (const line of createInterface({ input: process.stdin })) {
  /** @type {string} */
  const cmd = JSON.parse(line).cmd;
  const answer = await Promise.resolve(COMMANDS[cmd]?.()).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify({ cmd, ...answer })}\n`);
}
await browser.close();
