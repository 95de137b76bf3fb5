/** What every part of the page needs. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import type { Language } from "../io/preferences.ts";
import type { Theme } from "../model/colors.ts";
import { en, type Texts } from "../text/en.ts";

export interface Surroundings {
  texts: Texts;
  language: Language;
  theme: Theme;
  /** The address of Grafana, if it is known. */
  grafana: string | undefined;
}

export const Surroundings = createContext<Surroundings>({ texts: en, language: "en", theme: "dark", grafana: undefined });

export const useSurroundings = (): Surroundings => useContext(Surroundings);
