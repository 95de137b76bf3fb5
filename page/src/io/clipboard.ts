/** The clipboard, which browsers offer only to pages from https or the same machine; elsewhere a file is saved. */

export type Done = "copied" | "saved";

const save = (content: Blob, name: string): Done => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The download begins after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return "saved";
};

/** A name of a file that every system accepts. */
const fileName = (title: string, extension: string): string => `${title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "panel"}.${extension}`;

export const copyJson = async (json: unknown, title: string): Promise<Done> => {
  const content = JSON.stringify(json, undefined, 2);
  // Absent in an insecure context, whatever its type says.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard === undefined) return save(new Blob([content], { type: "application/json" }), fileName(title, "json"));
  await clipboard.writeText(content);
  return "copied";
};

export const copyImage = async (image: Promise<Blob>, title: string): Promise<Done> => {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard === undefined || typeof ClipboardItem === "undefined") return save(await image, fileName(title, "png"));
  // The promise itself: what is written after a wait no longer counts as the answer to a click.
  await clipboard.write([new ClipboardItem({ "image/png": image })]);
  return "copied";
};
