/** Times and durations as people read them. */

/** A duration in one or two units: `12 s`, `3 min`, `2 h 5 min`, `4 d`. */
export const elapsed = (seconds: number, units: Record<string, string>): string => {
  const whole = Math.max(0, Math.round(seconds));
  const [m = "min", h = "h", d = "d"] = [units.m, units.h, units.d];
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} ${m}`;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (whole < 86_400) return minutes === 0 ? `${hours} ${h}` : `${hours} ${h} ${minutes} ${m}`;
  const days = Math.floor(whole / 86_400);
  const rest = Math.floor((whole % 86_400) / 3600);
  return rest === 0 ? `${days} ${d}` : `${days} ${d} ${rest} ${h}`;
};

/** The time of day; with the date if that is not today's. */
export const clock = (seconds: number, now: number, language: string): string => {
  const [time, today] = [new Date(seconds * 1000), new Date(now * 1000)];
  const isToday = time.toDateString() === today.toDateString();
  const day: Intl.DateTimeFormatOptions = isToday ? {} : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(language, { ...day, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(time);
};
