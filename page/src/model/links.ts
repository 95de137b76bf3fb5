/** Links in alerts and in Markdown. */

/** Links of other kinds, such as `javascript:`, are left out. */
export const safeLink = (link: string | undefined): string | undefined => (link !== undefined && /^https?:\/\//i.test(link) ? link : undefined);

/** The documentation, which Vigie does not serve except for the runbooks. */
const DOCUMENTATION = "https://github.com/vigie-rs/vigie/blob/main/docs/";
const RUNBOOK = /^https:\/\/github\.com\/vigie-rs\/vigie\/blob\/[^/]+\/docs\/runbooks\/(?:fr\/)?(\w+)\.md$/;

/** The pages of runbooks in the address begin with this. */
const PAGES = "runbooks/";

/** The runbook that a page shows, if it shows one. */
export const runbookOf = (page: string): string | undefined => (page.startsWith(PAGES) ? page.slice(PAGES.length) : undefined);

/** A runbook of the project leads to the one that Vigie serves. */
export const runbookLink = (link: string | undefined): string | undefined => {
  const name = RUNBOOK.exec(link ?? "")?.[1];
  return name === undefined ? safeLink(link) : `#/${PAGES}${name}`;
};

/** A link in a runbook, which may be relative to its file. Those in French are in a directory of their own. */
export const linkInRunbook = (link: string | undefined, language: "en" | "fr"): string | undefined =>
  link !== undefined && /^[\w./-]+\.md(#[\w-]*)?$/.test(link) ? runbookLink(new URL(link, `${DOCUMENTATION}runbooks/${language === "fr" ? "fr/" : ""}`).href) : runbookLink(link);
