/** Checks of accessibility. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds serious or critical in the page, each with the elements; and how many rules the page passes. */
export const audited = async (page: Page): Promise<{ found: string[]; passed: number }> => {
  await page.evaluate(SOURCE);
  const { violations, passes } = await page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const found = serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 5).map(({ html, failureSummary = "" }) => `${html.slice(0, 200)} (${failureSummary.replace(/\s+/g, " ").slice(0, 250)})`).join(" | ")}`);
  return { found, passed: passes.length };
};
