import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { en } from "../src/text/en.ts";
import { fr } from "../src/text/fr.ts";

const directory = new URL("../../rules/", import.meta.url);
const files = readdirSync(directory).filter((file) => file.endsWith(".yml"));
const sources = files.map((file) => readFileSync(new URL(file, directory), "utf8"));

/** The summaries, with a value for each template that shows its place. */
const summaries = sources.flatMap((source) => {
  return [...source.matchAll(/^ *summary: '(.*)'$/gm)].map(([, template = ""]) => {
    let at = 0;
    return template.replace(/\{\{.*?\}\}/g, () => `«${at++} of 2»`);
  });
});

const alerts = sources.flatMap((source) => source.match(/^ *- alert:/gm) ?? []);

/** What the template inserts where `{{ range }}` is, and where `{{ with }}` is, if anything. */
const LISTED = " 500 on /a/:b (2/s), 503 on <other> (1.5/s)";
const expansions = (template: string): string[] => {
  const listed = template.replace(/\s*\{\{- range .*?\}\}.*\{\{ end \}\}/s, LISTED);
  const both = [listed.replace(/\{\{ with .*?\}\}(.*?)\{\{ end \}\}/s, "$1"), listed.replace(/\{\{ with .*?\}\}.*?\{\{ end \}\}/s, "")];
  return [...new Set(both)].map((text) => {
    let at = 0;
    return text.replace(/\{\{.*?\}\}/g, () => `«${at++} of 3»`);
  });
};

const descriptions = sources.flatMap((source) => [...source.matchAll(/^ *description: >-\n((?: {12}.*\n)+)/gm)].map(([, lines = ""]) => lines.trim().replace(/\s*\n\s*/g, " ")));

test("every description of a built-in rule is in French, with all its values", () => {
  expect(descriptions.length).toBe(alerts.length);
  for (const description of descriptions.flatMap(expansions)) {
    const french = fr.description(description);
    expect(french, description).not.toBe(description);
    expect(french).not.toMatch(/[{}]|\b(the|Look first|jobs of|or longer)\b/);
    expect(new Set(french.match(/«\d of 3»/g) ?? []), french).toEqual(new Set(description.match(/«\d of 3»/g) ?? []));
    if (description.includes(LISTED)) expect(french).toContain(description.includes("answered with an error") ? LISTED.replaceAll(" on ", " sur ") : LISTED);
    expect(en.description(description)).toBe(description);
  }
  // A rule that lists nothing.
  expect(fr.description(descriptions.filter((text) => text.includes("- range")).flatMap(expansions)[0]?.replace(LISTED, "") ?? "")).toMatch(/^«0 of 3» requêtes .* La plupart :\./);
  expect(fr.description("a description of one's own")).toBe("a description of one's own");
});

test("every summary of a built-in rule is in French, with all its values", () => {
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
