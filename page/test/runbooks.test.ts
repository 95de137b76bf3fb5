import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { linkInRunbook, runbookLink, runbookOf } from "../src/model/links.ts";
import { type Block, blocks, type Inline } from "../src/model/markdown.ts";
import { hashOf, viewOf } from "../src/model/view.ts";

const directory = new URL("../../docs/runbooks/", import.meta.url);
const files = readdirSync(directory).filter((file) => file.endsWith(".md"));
const LANGUAGES = { en: directory, fr: new URL("fr/", directory) } as const;
const read = (language: keyof typeof LANGUAGES, file: string) => readFileSync(new URL(file, LANGUAGES[language]), "utf8");

const inlines = (list: Block[]): Inline[] =>
  list.flatMap((block) => {
    switch (block.kind) {
      case "list":
        return block.items.flatMap(inlines);
      case "table":
        return [...block.head, ...block.rows.flat()].flat();
      case "code":
        return [];
      default:
        return block.inside;
    }
  });

const codes = (list: Block[]): string[] =>
  list.flatMap((block) => (block.kind === "code" ? [block.text] : block.kind === "list" ? block.items.flatMap(codes) : []));

test.for(["en", "fr"] as const)("every runbook is rendered: its code, its lists, its table and its links (%s)", (language) => {
  expect(files.length).toBeGreaterThan(20);
  expect(readdirSync(LANGUAGES[language]).filter((file) => file.endsWith(".md"))).toEqual(files);
  for (const file of files) {
    const source = read(language, file);
    const parsed = blocks(source, (link) => linkInRunbook(link, language));
    expect(parsed[0], file).toEqual({ kind: "heading", level: 1, inside: [{ kind: "text", text: file.replace(".md", "") }] });
    expect(codes(parsed).length * 2, file).toBe(source.match(/^ *```/gm)?.length);
    const all = inlines(parsed);
    for (const one of all) if (one.kind === "text") expect(one.text, file).not.toMatch(/`|\]\(|^\s*\||\*\*|^#/);
    const links = all.flatMap((one) => (one.kind === "link" ? [one.href] : []));
    expect(links.length, file).toBe(source.match(/\]\(/g)?.length ?? 0);
    for (const link of links) {
      const name = /^#\/runbooks\/(\w+)$/.exec(link)?.[1];
      if (name === undefined) expect(link).toMatch(/^https:\/\/github\.com\/vigie-rs\/vigie\/blob\/main\/docs\/\w+\.md(#[\w-]+)?$/);
      else expect(files).toContain(`${name}.md`);
    }
  }
});

/** Without the comments of silences, which are translated. */
const withoutComments = (code: string) => code.replace(/--comment='[^']*'/g, "");

test("a runbook has the same structure, commands and queries in French", () => {
  for (const file of files) {
    const [english, french] = (["en", "fr"] as const).map((language) => blocks(read(language, file)));
    expect(codes(french ?? []).map(withoutComments), file).toEqual(codes(english ?? []).map(withoutComments));
    const shape = (list: Block[] = []) => list.map((block) => (block.kind === "list" ? [block.kind, block.items.length] : [block.kind]));
    expect(shape(french), file).toEqual(shape(english));
    const spans = (list: Block[] = []) => inlines(list).flatMap((one) => (one.kind === "code" ? [one.text] : [])).toSorted();
    expect(spans(french), file).toEqual(spans(english));
    expect(read("fr", file), file).not.toMatch(/\b(the|is|are|with|which|Look first|Usual causes|Silence it)\b(?!=)/);
  }
});

test("items of lists contain code and text", () => {
  const [list] = blocks("1. First?\n   ```\n   a\n     b\n   ```\n   Then c.\n2. Second\n   continues\n\nAfter");
  expect(list).toEqual({
    kind: "list",
    isOrdered: true,
    items: [
      [
        { kind: "paragraph", inside: [{ kind: "text", text: "First?" }] },
        { kind: "code", text: "a\n  b" },
        { kind: "paragraph", inside: [{ kind: "text", text: "Then c." }] },
      ],
      [{ kind: "paragraph", inside: [{ kind: "text", text: "Second continues" }] }],
    ],
  });
});

test("any text is read to its end", () => {
  for (const text of ["", "```", "```\na", "|", "| a |\n|---|", "- ", "-", "1.", "- - - a", "  ", "#", "|a\n|b|\n"]) expect(Array.isArray(blocks(text))).toBe(true);
  expect(blocks("a_b_c and 2*3*4")).toEqual([{ kind: "paragraph", inside: [{ kind: "text", text: "a_b_c and 2*3*4" }] }]);
});

test("the runbooks of the project are those that Vigie serves, others are links", () => {
  expect(runbookLink("https://github.com/vigie-rs/vigie/blob/main/docs/runbooks/SlowTick.md")).toBe("#/runbooks/SlowTick");
  expect(runbookLink("https://github.com/vigie-rs/vigie/blob/v1.2.0/docs/runbooks/SlowTick.md")).toBe("#/runbooks/SlowTick");
  expect(runbookLink("https://example.org/docs/runbooks/SlowTick.md")).toBe("https://example.org/docs/runbooks/SlowTick.md");
  expect(runbookLink("javascript:alert(1)")).toBeUndefined();
  expect(linkInRunbook("javascript:alert(1)", "en")).toBeUndefined();
  expect(linkInRunbook("../../routes.md", "fr")).toBe("https://github.com/vigie-rs/vigie/blob/main/docs/routes.md");
  expect(linkInRunbook("SlowTick.md", "fr")).toBe("#/runbooks/SlowTick");
  expect(runbookLink(undefined)).toBeUndefined();
  const view = viewOf("#/runbooks/SlowTick?refresh=5s");
  expect(runbookOf(view.page)).toBe("SlowTick");
  expect(hashOf(view)).toBe("#/runbooks/SlowTick?refresh=5s");
});
