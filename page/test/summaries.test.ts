import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { en } from "../src/text/en.ts";
import { fr } from "../src/text/fr.ts";

const directory = new URL("../../rules/", import.meta.url);
const files = readdirSync(directory).filter((file) => file.endsWith(".yml"));
/** The summaries, with a value for each template that shows its place. */
const summaries = files.flatMap((file) => {
  const source = readFileSync(new URL(file, directory), "utf8");
  return [...source.matchAll(/^ *summary: '(.*)'$/gm)].map(([, template = ""]) => {
    let at = 0;
    return template.replace(/\{\{.*?\}\}/g, () => `«${at++} of 2»`);
  });
});

test("every summary of a built-in rule is in French, with all its values", () => {
  const alerts = files.flatMap((file) => readFileSync(new URL(file, directory), "utf8").match(/^ *- alert:/gm) ?? []);
  expect(summaries.length).toBe(alerts.length);
  expect(summaries.length).toBeGreaterThan(30);
  for (const summary of summaries) {
    const french = fr.summary(summary);
    expect(french).not.toBe(summary);
    expect(french).not.toMatch(/[{}]/);
    expect((french.match(/«\d of 2»/g) ?? []).sort(), french).toEqual(summary.match(/«\d of 2»/g) ?? []);
  }
});

test("other summaries are not changed", () => {
  for (const summary of ["", "The check fails", "x The check app fails", "the check app is 0"]) expect(fr.summary(summary)).toBe(summary);
  expect(en.summary("The check app fails")).toBe("The check app fails");
  expect(fr.summary("1.5k jobs wait in the queue $& {0}")).toBe("1.5k jobs attendent dans la file $& {0}");
  expect(fr.summary("The queue mail has been paused for an hour")).toBe("La file mail est en pause depuis une heure");
});
