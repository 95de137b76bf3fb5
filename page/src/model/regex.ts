/** A regular expression as Grafana writes it: `/x/i`, or the text alone. `undefined` if it is invalid. */
export const regexOf = (pattern: string): RegExp | undefined => {
  const parts = /^\/(.*)\/([gimsuy]*)$/s.exec(pattern);
  try {
    return parts === null ? new RegExp(`^${pattern}$`) : new RegExp(parts[1] ?? "", (parts[2] ?? "").replace(/[gy]/g, ""));
  } catch {
    return undefined;
  }
};
