/**
 * The Markdown of text panels and runbooks: headings, lists, paragraphs, tables, code, emphasis and links. HTML in it is shown as
 * text.
 */

import { safeLink } from "./links.ts";

export type Inline = { kind: "text" | "code" | "strong" | "emphasis"; text: string } | { kind: "link"; text: string; href: string };

export type Block =
  | { kind: "heading"; level: number; inside: Inline[] }
  | { kind: "paragraph"; inside: Inline[] }
  | { kind: "list"; isOrdered: boolean; items: Block[][] }
  | { kind: "table"; head: Inline[][]; rows: Inline[][][] }
  | { kind: "code"; text: string };

/** The address for a link as it is written; `undefined` if it is not to be one. */
export type Linker = (target: string | undefined) => string | undefined;

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|(?<![\w*])[*_]([^*_]+)[*_](?![\w*])|\[([^\]]+)\]\(([^)\s]+)\)/g;

export const inline = (text: string, linker: Linker = safeLink): Inline[] => {
  const found: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, emphasis, label, target] = match;
    if (match.index > end) found.push({ kind: "text", text: text.slice(end, match.index) });
    const href = linker(target);
    if (code !== undefined) found.push({ kind: "code", text: code });
    else if (strong !== undefined) found.push({ kind: "strong", text: strong });
    else if (emphasis !== undefined) found.push({ kind: "emphasis", text: emphasis });
    else if (label !== undefined && href !== undefined) found.push({ kind: "link", text: label.replaceAll("`", ""), href });
    else found.push({ kind: "text", text: whole });
    end = match.index + whole.length;
  }
  if (end < text.length) found.push({ kind: "text", text: text.slice(end) });
  return found;
};

const HEADING = /^(#{1,6})\s+(.*)$/;
const ITEM = /^( {0,3}(?:[-*+]|(\d+)[.)])\s+)(.*)$/;
const FENCE = /^ {0,3}```/;
const ROW = /^\s*\|(.*)\|\s*$/;
const RULE = /^[\s|:-]+$/;

const cells = (line: string): string[] => (ROW.exec(line)?.[1] ?? "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

/** The lines from `start` on that `isInside` accepts. */
const run = (lines: readonly string[], start: number, isInside: (line: string) => boolean): string[] => {
  const end = lines.findIndex((line, at) => at >= start && !isInside(line));
  return lines.slice(start, end === -1 ? lines.length : end);
};

const parsed = (lines: readonly string[], linker: Linker): Block[] => {
  const found: Block[] = [];
  let at = 0;
  const startsBlock = (line: string) => HEADING.test(line) || ITEM.test(line) || FENCE.test(line) || ROW.test(line);
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const heading = HEADING.exec(line);
    const item = ITEM.exec(line);
    const last = found.at(-1);
    if (line.trim() === "") at++;
    else if (heading !== null) {
      found.push({ kind: "heading", level: heading[1]?.length ?? 1, inside: inline(heading[2] ?? "", linker) });
      at++;
    } else if (FENCE.test(line)) {
      const code = run(lines, at + 1, (line) => !FENCE.test(line));
      found.push({ kind: "code", text: code.join("\n") });
      at += code.length + 2;
    } else if (item !== null) {
      // The lines of an item are indented as its text is, or at least by two.
      const rest = run(lines, at + 1, (line) => line.trim() === "" || line.startsWith("  "));
      const indent = new RegExp(`^ {0,${item[1]?.length ?? 2}}`);
      const inside = parsed([item[3] ?? "", ...rest.map((line) => line.replace(indent, ""))], linker);
      const isOrdered = item[2] !== undefined;
      if (last?.kind === "list" && last.isOrdered === isOrdered) last.items.push(inside);
      else found.push({ kind: "list", isOrdered, items: [inside] });
      at += 1 + rest.length;
    } else if (ROW.test(line) && RULE.test(lines[at + 1] ?? "")) {
      const rows = run(lines, at, (line) => ROW.test(line));
      const [head = [], , ...others] = rows.map((row) => cells(row).map((cell) => inline(cell, linker)));
      found.push({ kind: "table", head, rows: others });
      at += rows.length;
    } else {
      const more = run(lines, at + 1, (line) => line.trim() !== "" && !startsBlock(line));
      found.push({ kind: "paragraph", inside: inline([line, ...more].map((line) => line.trim()).join(" "), linker) });
      at += 1 + more.length;
    }
  }
  return found;
};

export const blocks = (markdown: string, linker: Linker = safeLink): Block[] => parsed(markdown.split(/\r\n?|\n/), linker);
