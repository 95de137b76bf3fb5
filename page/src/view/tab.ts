/** The title and the icon of the browser's tab show the status. */

import { useEffect } from "preact/hooks";

import type { Level } from "../model/status.ts";

const COLORS: Record<Level, string> = { ok: "#2f9e4f", degraded: "#e08a1e", failing: "#d6323c", unknown: "#7d8694" };

/** A disc; of the levels that need attention, with a shape inside, as colour alone does not tell everybody. */
const icon = (level: Level): string => {
  const inside = { ok: "", degraded: '<path d="M16 8v11m0 3v3"/>', failing: '<path d="M10 10l12 12m0-12L10 22"/>', unknown: '<path d="M9 16h14"/>' }[level];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="15" fill="${COLORS[level]}"/><g stroke="#fff" stroke-width="4" stroke-linecap="round">${inside}</g></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
};

export const useTab = (level: Level, word: string, count: number) => {
  useEffect(() => {
    document.title = level === "ok" ? "Vigie" : `${count > 0 ? `(${count}) ` : ""}${word} · Vigie`;
    document.querySelector("link[rel=icon]")?.setAttribute("href", icon(level));
  }, [level, word, count]);
};
