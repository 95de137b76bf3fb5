/** Colours by Grafana's names, for both themes. */

export type Theme = "light" | "dark";

/** The palette of series. Each colour has a contrast of at least 3:1 with the background of its theme. */
const PALETTES: Record<Theme, readonly string[]> = {
  dark: ["#6db477", "#e0b33d", "#5fa8d8", "#e98d4f", "#e2656b", "#7b9af0", "#c280d6", "#4fb8ad", "#b9a05e", "#d97fa6", "#8fb84a", "#9b8fe0"],
  light: ["#2f8a46", "#a87400", "#1f78b4", "#c05a13", "#c7343d", "#3d62c9", "#9440ad", "#0f8479", "#80691d", "#b23a75", "#5c7f13", "#6a58c4"],
};

const NAMED: Record<Theme, Record<string, string>> = {
  dark: { red: "#f2555f", orange: "#f2993a", yellow: "#e8c547", green: "#58b368", blue: "#5b9be6", purple: "#b283e0", text: "#d5d9e0", transparent: "transparent", white: "#ffffff", black: "#000000", gray: "#8b93a1" },
  light: { red: "#cf222e", orange: "#bd5b00", yellow: "#8f6c00", green: "#1f7a37", blue: "#1f6fc4", purple: "#8045b5", text: "#1d232d", transparent: "transparent", white: "#ffffff", black: "#000000", gray: "#68717f" },
};

const SHADES = ["", "super-light-", "light-", "semi-dark-", "dark-"];

/** The colour of the series at this place. */
export const paletteColor = (at: number, theme: Theme): string => {
  const palette = PALETTES[theme];
  return palette[at % palette.length] ?? "gray";
};

/** A colour as dashboards write it: a name, with a shade or not, or a CSS colour. Others are grey. */
export const colorOf = (name: string, theme: Theme): string => {
  if (/^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(name) || /^rgba?\([\d\s.,%]+\)$/.test(name)) return name;
  const named = NAMED[theme];
  const base = SHADES.map((shade) => (name.startsWith(shade) ? name.slice(shade.length) : "")).find((rest) => Object.hasOwn(named, rest));
  return (base === undefined ? undefined : named[base]) ?? named.gray ?? "gray";
};

/** The colour with this opacity, from 0 to 1. */
export const faded = (color: string, opacity: number): string => {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (hex === null) return color;
  const [red, green, blue] = hex.slice(1).map((digits) => Number.parseInt(digits, 16));
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
};

/** Black or white, whichever is easier to read on the colour. */
export const onColor = (color: string): string => {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (hex === null) return "inherit";
  const [red = 0, green = 0, blue = 0] = hex.slice(1).map((digits) => {
    const part = Number.parseInt(digits, 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000";
};
