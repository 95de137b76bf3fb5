/** Values with units, by Grafana's identifiers of units. */

export interface Shown {
  text: string;
  /** After the text, separated by a space unless it is a symbol such as `%`. */
  unit: string;
}

/** Writes a value; `decimals` is undefined for as many as the value needs. */
type Format = (value: number, decimals: number | undefined) => Shown;

/** As many decimals as make the value distinguishable: about three significant digits, without trailing zeros. */
const fixed = (value: number, decimals: number | undefined): string => {
  if (decimals !== undefined) return value.toFixed(decimals);
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  const places = Math.min(Math.max(2 - magnitude, 0), 8);
  return String(Number(value.toFixed(places)));
};

type Step = readonly [factor: number, unit: string];

/** The largest step that is not above the value. */
const scaled =
  (steps: readonly Step[]): Format =>
  (value, decimals) => {
    const size = Math.abs(value);
    // A value that rounds to the next step is written in it: 1000 ms is 1 s.
    const step = steps.findLast(([factor]) => size >= factor * 0.9995) ?? steps[0];
    const [factor, unit] = size === 0 ? (steps.find(([factor]) => factor === 1) ?? steps[0] ?? [1, ""]) : (step ?? [1, ""]);
    return { text: fixed(value / factor, decimals), unit };
  };

const SECONDS: readonly Step[] = [
  [1e-9, "ns"],
  [1e-6, "µs"],
  [1e-3, "ms"],
  [1, "s"],
  [60, "min"],
  [3600, "h"],
  [86_400, "d"],
  [604_800, "w"],
  [31_557_600, "y"],
];

const times = (steps: readonly Step[], factor: number) => steps.map(([size, unit]): Step => [size / factor, unit]);
/** `factor` is the number of units in a second. */
const seconds = (factor: number) => scaled(times(SECONDS, 1 / factor));

const SHORT = ["", "K", "Mil", "Bil", "Tri"];
const powers = (names: readonly string[], base: number, suffix = "") =>
  names.map((name, at): Step => [at === 0 ? 1 : base ** at, `${name}${suffix}`]);
const short = (suffix = ""): Format => {
  const whole = scaled(powers(SHORT, 1000));
  return (value, decimals) => {
    if (Math.abs(value) < 1) return { text: fixed(value, decimals), unit: suffix };
    const { text, unit } = whole(value, decimals);
    return { text, unit: [unit, suffix].filter((part) => part !== "").join(" ") };
  };
};

const binary = (suffix: string) => scaled(powers(["", "Ki", "Mi", "Gi", "Ti", "Pi"], 1024, suffix));
const decimal = (suffix: string) => scaled(powers(["", "k", "M", "G", "T", "P"], 1000, suffix));
const percent =
  (factor: number): Format =>
  (value, decimals) => ({ text: fixed(value * factor, decimals), unit: "%" });
const plain =
  (unit = ""): Format =>
  (value, decimals) => ({ text: fixed(value, decimals), unit });

const FORMATS: Record<string, Format> = {
  "": short(),
  short: short(),
  none: plain(),
  string: plain(),
  locale: plain(),
  percent: percent(1),
  percentunit: percent(100),
  s: seconds(1),
  ms: seconds(1e3),
  µs: seconds(1e6),
  ns: seconds(1e9),
  m: seconds(1 / 60),
  h: seconds(1 / 3600),
  d: seconds(1 / 86_400),
  bytes: binary("B"),
  decbytes: decimal("B"),
  bits: binary("b"),
  decbits: decimal("b"),
  kbytes: scaled(times(powers(["", "Ki", "Mi", "Gi", "Ti", "Pi"], 1024, "B"), 1024)),
  mbytes: scaled(times(powers(["", "Ki", "Mi", "Gi", "Ti", "Pi"], 1024, "B"), 1024 ** 2)),
  Bps: decimal("B/s"),
  binBps: binary("B/s"),
  bps: decimal("b/s"),
  ops: short("ops/s"),
  reqps: short("req/s"),
  rps: short("rd/s"),
  wps: short("wr/s"),
  iops: short("io/s"),
  cps: short("c/s"),
  opm: short("ops/m"),
  cpm: short("c/m"),
  reqpm: short("req/m"),
  hertz: decimal("Hz"),
};

export const isUnit = (unit: string): boolean => unit in FORMATS;

/** The value with its unit; `null` is shown as a dash. An unknown unit is written after the number, as Grafana does. */
export const show = (value: number | null, unit: string, decimals?: number): Shown => {
  if (value === null || Number.isNaN(value)) return { text: "–", unit: "" };
  if (!Number.isFinite(value)) return { text: value > 0 ? "∞" : "-∞", unit: "" };
  return (FORMATS[unit] ?? plain(unit))(value, decimals);
};

export const shown = ({ text, unit }: Shown): string => (unit === "" || unit === "%" ? text + unit : `${text} ${unit}`);

export const format = (value: number | null, unit: string, decimals?: number): string => shown(show(value, unit, decimals));

/** The labels of an axis, all with as many decimals as distinguish neighbours that are `step` apart. */
export const ticks = (values: number[], step: number, unit: string, decimals?: number): string[] =>
  values.map((value) => {
    const free = show(value, unit);
    const scale = value === 0 ? 1 : Math.abs(value / (Number(free.text) || value));
    const places = Math.min(Math.max(-Math.floor(Math.log10((step / scale) * 1.0001)), 0), 6);
    if (value === 0) return shown(show(0, unit, 0));
    // 0.25 steps need two decimals, which the magnitude of the step alone does not say.
    const exact = [places, places + 1].find((count) => Math.abs(Number((step / scale).toFixed(count)) - step / scale) < 1e-9);
    return shown(show(value, unit, decimals ?? exact ?? places));
  });
