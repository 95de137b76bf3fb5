/** What the browser keeps for the user: the language and the theme, which are those of the browser until others are chosen, a name, and queries. */

import { useEffect, useState } from "preact/hooks";

import type { Theme } from "../model/colors.ts";
import { historyOf, remembered } from "../model/history.ts";

export type Language = "en" | "fr";

const read = (key: string): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    // Storage can be disabled; the choice then lasts as long as the page.
    return null;
  }
};

const write = (key: string, value: string) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    // As above.
  }
};

const LANGUAGE = "vigie.language";
const THEME = "vigie.theme";
const AUTHOR = "vigie.author";
const QUERIES = "vigie.queries";
const LIGHT = matchMedia("(prefers-color-scheme: light)");

export const useLanguage = (): [Language, () => void] => {
  const [language, set] = useState<Language>(() => {
    const chosen = read(LANGUAGE);
    if (chosen === "en" || chosen === "fr") return chosen;
    return navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en";
  });
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const toggle = () => {
    const other = language === "en" ? "fr" : "en";
    write(LANGUAGE, other);
    set(other);
  };
  return [language, toggle];
};

export const useTheme = (): [Theme, () => void] => {
  const preferred = (): Theme => {
    const chosen = read(THEME);
    return chosen === "light" || chosen === "dark" ? chosen : LIGHT.matches ? "light" : "dark";
  };
  const [theme, set] = useState<Theme>(preferred);
  useEffect(() => {
    const follow = () => set(preferred());
    LIGHT.addEventListener("change", follow);
    return () => LIGHT.removeEventListener("change", follow);
  }, []);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const toggle = () => {
    const other = theme === "light" ? "dark" : "light";
    write(THEME, other);
    set(other);
  };
  return [theme, toggle];
};

/** The name under which the user acknowledges alerts; the last one that was given. */
export const useAuthor = (): [string, (name: string) => void] => {
  const [name, set] = useState(() => read(AUTHOR) ?? "");
  const change = (name: string) => {
    write(AUTHOR, name);
    set(name);
  };
  return [name, change];
};

/** The queries that the user has run, the newest first; to add one, and to forget all. */
export const useQueries = (): [string[], (query: string) => void, () => void] => {
  const [queries, set] = useState(() => historyOf(read(QUERIES)));
  const keep = (queries: string[]) => {
    write(QUERIES, JSON.stringify(queries));
    set(queries);
  };
  // Another tab may have added some.
  return [queries, (query) => keep(remembered(historyOf(read(QUERIES)), query)), () => keep([])];
};
