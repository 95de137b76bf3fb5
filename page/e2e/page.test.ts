/** The page in a browser, against a running Vigie: see crates/vigie/tests/e2e/page.rs. */

import type { Page } from "playwright-core";
import { expect, test } from "vitest";

import { audited } from "./axe.ts";
import { ADMIN, complaints, FAILING, GUARDED, open, patiently, picture, QUEUE, reach, RECENT, SCREENSHOTS, signIn, TOKEN } from "./browser.ts";
import { prefixed } from "./prefix.ts";

const panels = (page: Page) => page.locator("[data-panel]");

/** Waits until no panel of the page is without data, and every one is drawn. Panels are drawn when they are scrolled to. */
const untilDrawn = async (page: Page) => {
  const count = await panels(page).count();
  expect(count).toBeGreaterThan(0);
  for (let at = 0; at < count; at++) {
    const panel = panels(page).nth(at);
    await reach(panel);
    await panel.locator(".u-over, td, .value").first().waitFor({ state: "attached" });
  }
  return count;
};

test("every panel of the specification shows data, in both languages and themes", async () => {
  for (const [look, theme, titles] of [
    [{ language: "en-GB", theme: "dark" }, "dark", ["HTTP p95", "Error rate", "Jobs by state", "Failed jobs", "Mean duration", "Tick p99", "Active connections", "Variations"]],
    [{ language: "fr-FR", theme: "light" }, "light", ["HTTP p95", "Taux d’erreurs", "Jobs par état", "Jobs en erreur", "Durée moyenne", "p99 tick", "Connexions actives", "Variations"]],
  ] as const) {
    const page = await open(`${ADMIN}/#/?${RECENT}`, look);
    await panels(page).first().waitFor();
    expect(await page.locator(".panel h3").allTextContents()).toEqual(titles);
    await untilDrawn(page);
    for (const panel of await panels(page).all()) {
      const values = await panel.locator(".legend b, .legend .number, td.number, .value").allTextContents();
      expect(values.some((value) => /\d/.test(value)), await panel.innerText()).toBe(true);
    }
    expect(await page.locator("html").getAttribute("data-theme")).toBe(theme);
    await picture(page, `overview-${theme}`);
    await page.context().close();
  }
  expect(complaints).toEqual([]);
});

test("the value of a panel is one that the API answered", async () => {
  const page = await open("about:blank");
  const answered: string[] = [];
  page.on("response", async (response) => {
    if (!response.url().includes("query=socket_active_connections&")) return;
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
    answered.push(...data.result.map(({ value }) => value[1]));
  });
  await page.goto(`${ADMIN}/#/?${RECENT}`);
  const stat = page.locator(".panel.stat .value");
  await reach(stat);
  await patiently(async () => expect(answered).toContain(await stat.textContent()));
  await page.context().close();
});

test("the alert of a queue is shown with its value and its threshold, and its name runs no script", async () => {
  const page = await open(`${ADMIN}/`);
  const alert = page.locator(".alert", { hasText: "QueueWaiting" });
  await alert.waitFor();
  expect(await alert.locator(".against").innerText()).toMatch(/501\s*>\s*500/);
  await alert.locator("summary").click();
  expect(await alert.locator(".labels code").allTextContents()).toContain(`queue=${QUEUE}`);
  await page.locator(".panel.table td", { hasText: QUEUE }).first().waitFor();
  expect(await page.evaluate(() => "hostile" in globalThis)).toBe(false);
  await page.screenshot({ path: `${SCREENSHOTS}/incident.png` });
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("the runbook of an alert is shown without leaving the page", async () => {
  const page = await open(`${ADMIN}/`);
  const alert = page.locator(".alert", { hasText: "QueueWaiting" });
  await alert.locator("summary").click();
  await alert.getByRole("link", { name: "Runbook" }).click();
  await page.locator(".runbook h1", { hasText: "QueueWaiting" }).waitFor();
  expect(await page.locator(".runbook pre").count()).toBeGreaterThan(3);
  await picture(page, "runbook");
  await page.getByRole("button", { name: "FR Français" }).click();
  await page.locator(".runbook h2", { hasText: "À regarder d’abord" }).waitFor();
  await page.getByRole("button", { name: "EN English" }).click();
  // The address that a message can contain.
  await page.goto(`${ADMIN}/runbooks/QueueNoWorkers`);
  await page.locator(".runbook h1", { hasText: "QueueNoWorkers" }).waitFor();
  expect(new URL(page.url()).hash).toBe("#/runbooks/QueueNoWorkers");
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("the queues are a table that can be sorted", async () => {
  const page = await open(`${ADMIN}/#/queues`);
  const names = page.locator(".queues tbody th");
  await names.first().waitFor();
  // The queue without workers has most waiting jobs.
  expect(await names.first().textContent()).toBe(QUEUE);
  await page.locator(".queues thead button").first().click();
  const byName = await names.allTextContents();
  expect(byName.length).toBeGreaterThan(3);
  expect(byName).toEqual(byName.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })));
  await picture(page, "queues");
  await page.context().close();
  expect(complaints).toEqual([]);
});

/** The query of the last step of Explore. */
const queryIn = (page: Page) => page.evaluate(() => new URLSearchParams(location.hash.split("?")[1]).get("q"));

test("a query is written with completion, run and found again", async () => {
  const page = await open(`${ADMIN}/#/explore?${RECENT}`);
  const box = page.getByRole("textbox", { name: "PromQL query" });
  const first = page.locator("[role=option]").first();
  await box.pressSequentially("sum by (queue) (queue_jobs_t");
  await first.waitFor();
  expect(await first.innerText()).toContain("queue_jobs_total");
  await page.keyboard.press("Tab");
  await page.keyboard.type("{sta");
  await first.getByText("state").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  // The values follow the name at once.
  await page.getByRole("option", { name: "waiting value", exact: true }).waitFor();
  await page.keyboard.type("wai");
  await page.keyboard.press("Tab");
  expect(await box.inputValue()).toBe('sum by (queue) (queue_jobs_total{state="waiting"');
  await page.keyboard.type("})");
  await page.keyboard.press("Enter");
  await page.locator(".explore .u-over").waitFor();
  const written = 'sum by (queue) (queue_jobs_total{state="waiting"})';
  expect(await queryIn(page)).toBe(written);
  await page.screenshot({ path: `${SCREENSHOTS}/explore.png` });

  // A function comes with its parentheses and is described by the types of its arguments.
  await box.fill("");
  await box.pressSequentially("histogram_q");
  await first.getByText("(scalar, instant vector)").waitFor();
  await page.keyboard.press("Escape");

  await page.goBack();
  await page.goForward();
  await page.getByRole("button", { name: "Table", exact: true }).click();
  await page.locator(".explore td", { hasText: QUEUE }).waitFor();
  // The address restores all of it in another tab; and the query is among the last ones.
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.locator(".explore td", { hasText: QUEUE }).waitFor();
  expect(await other.getByRole("textbox", { name: "PromQL query" }).inputValue()).toBe(written);
  await other.locator(".recent summary").click();
  expect(await other.locator(".recent code").allTextContents()).toEqual([written]);
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("the error of a query points at its character", async () => {
  const page = await open(`${ADMIN}/#/explore?${RECENT}&q=${encodeURIComponent("sum(up) +\n  rate(up[5m) * 2")}`, { theme: "light" });
  const mark = page.locator(".pointer mark");
  await mark.waitFor();
  expect(await page.locator(".pointer").innerText()).toBe("  rate(up[5m) * 2");
  expect(await mark.innerText()).toBe(")");
  await page.screenshot({ path: `${SCREENSHOTS}/explore-error.png` });
  await page.getByRole("button", { name: "Go to the error" }).click();
  const box = page.getByRole("textbox", { name: "PromQL query" });
  await patiently(async () => expect(await box.evaluate((box: HTMLTextAreaElement) => [box.selectionStart, box.selectionEnd])).toEqual([22, 23]));
  await page.context().close();
});

test("a panel is copied as JSON and as an image, and opened in Explore", async () => {
  const page = await open("about:blank");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: ADMIN });
  await page.goto(`${ADMIN}/#/?${RECENT}`);
  const panel = page.locator('[data-panel="2"]');
  await panel.locator(".u-over").waitFor();
  const menu = panel.getByRole("button", { name: "Copy or open elsewhere" });
  const outcome = (text: string) => panel.locator("[role=status]", { hasText: text }).waitFor();
  await menu.click();
  await panel.getByRole("button", { name: "Copy as JSON" }).click();
  await outcome("Copied");
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as { queries: string[]; times: string[]; series: { values: unknown[] }[] };
  expect(copied.queries[0]).toContain("http_request");
  expect(copied.series[0]?.values).toHaveLength(copied.times.length);
  expect(copied.series[0]?.values.some((value) => typeof value === "number")).toBe(true);

  await menu.click();
  await panel.getByRole("button", { name: "Copy as image" }).click();
  await patiently(async () => {
    const size = await page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      if (item?.types.includes("image/png") !== true) return 0;
      const image = await createImageBitmap(await item.getType("image/png"));
      // The number of its colours.
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext("2d");
      context?.drawImage(image, 0, 0);
      const data = context?.getImageData(0, 0, image.width, image.height).data ?? new Uint8ClampedArray();
      return new Set(new Uint32Array(data.buffer)).size;
    });
    expect(size).toBeGreaterThan(20);
  });

  await menu.click();
  await panel.getByRole("link", { name: "Open in Explore" }).first().click();
  await page.locator(".explore .u-over").waitFor();
  expect(await queryIn(page)).toContain("http_request");
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("why the jobs of a queue fail is shown, redacted, and runs no script", async () => {
  const page = await open(`${ADMIN}/#/queues?${RECENT}`);
  await page.getByRole("link", { name: FAILING }).click();
  await page.locator(".queue-head h1", { hasText: FAILING }).waitFor();
  const rows = page.locator(".failures tbody tr");
  const shown = async () => {
    const cells = await Promise.all((await rows.all()).map((row) => row.locator("th, td").allInnerTexts()));
    return cells.map(([name, count, , reason]) => [name, count, reason?.split("\n")[0]]).toSorted();
  };
  await patiently(async () =>
    expect(await shown()).toEqual(
      [
        ["welcome", "3", "<number> no mailbox for <email> (user <number>, order <uuid>)"],
        ["welcome", "1", "connect ECONNREFUSED <ip>:<number>"],
        ["digest", "2", "GET https://***@api.example.org/users/<number>?<query> answered with status code 503"],
        [QUEUE, "1", QUEUE.replace("1", "<number>")],
      ].toSorted(),
    ),
  );
  await patiently(async () => expect(await page.locator(".failures code").allInnerTexts()).toEqual(Array(4).fill(expect.stringMatching(/^at .*fill\.js:\d+:\d+/))));
  for (const secret of ["ada", "4711", "hunter2"]) expect(await page.locator(".failures").innerHTML()).not.toContain(secret);
  expect(await page.evaluate(() => "hostile" in globalThis)).toBe(false);
  expect(await page.locator(".queue-head a").getAttribute("href")).toBe(`https://bull.example.org/queue/${encodeURIComponent(FAILING)}`);
  expect(await page.locator(".queue-head dd").first().innerText()).toBe("7");
  for (const title of ["Jobs by state", "Failed per minute, by job name"]) await page.locator(".panel", { hasText: title }).locator(".u-over").waitFor();
  await picture(page, "queue-dark");
  await page.context().close();

  // A name that is HTML, in French, on a phone.
  const phone = await open(`${ADMIN}/#/queue/${encodeURIComponent(QUEUE)}?${RECENT}`, { theme: "light", language: "fr-FR", width: 360, height: 740 });
  await phone.locator(".queue-head h1", { hasText: QUEUE }).waitFor();
  await phone.locator(".failures", { hasText: "Aucun job n’a échoué" }).waitFor();
  expect(await phone.evaluate(() => "hostile" in globalThis)).toBe(false);
  await phone.goto(`${ADMIN}/#/queue/${encodeURIComponent(FAILING)}?${RECENT}`);
  await phone.locator(".failures tbody tr").nth(3).waitFor();
  expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await untilDrawn(phone);
  await picture(phone, "queue-phone");
  await phone.context().close();
  expect(complaints).toEqual([]);
});

test("a queue that does not exist is said to be missing", async () => {
  const page = await open(`${ADMIN}/#/queue/missing?${RECENT}`);
  await page.locator(".notice.bad", { hasText: "no queue has this name" }).waitFor();
  await page.context().close();
});

test("dragging zooms all charts, and the zoom can be undone", async () => {
  const page = await open(`${ADMIN}/#/?${RECENT}`);
  const chart = page.locator('[data-panel="2"] .u-over');
  await patiently(async () => {
    await chart.waitFor();
    const box = await chart.boundingBox();
    if (box === null) throw new Error("the chart has no place");
    await page.mouse.move(box.x + box.width * 0.4, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.8, box.y + 30, { steps: 5 });
    await page.mouse.up();
    await page.waitForFunction(() => /from=\d{13}&to=\d{13}/.test(location.hash), undefined, { timeout: 5_000 });
  });
  const undo = page.locator(".controls button", { hasText: "Undo zoom" });
  await undo.click();
  await page.waitForFunction(() => location.hash.includes("from=now-5m"));
  await page.context().close();
});

test("a chart is read with the keyboard, and the crosshair is shown in the others", async () => {
  const page = await open(`${ADMIN}/#/?${RECENT}`);
  for (const panel of [2, 3]) await page.locator(`[data-panel="${panel}"] .u-over`).waitFor();
  await page.locator('[data-panel="2"] .plot').focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  const tooltip = page.locator('[data-panel="2"] .tooltip');
  await tooltip.waitFor();
  expect(await tooltip.innerText()).toMatch(/\d\d:\d\d:\d\d/);
  // What a screen reader is told.
  await page.locator('[data-panel="2"] [aria-live]', { hasText: /\d\d:\d\d:\d\d .*\d/ }).waitFor({ state: "attached" });
  await page.waitForFunction(() => {
    const line = document.querySelector('[data-panel="3"] .u-cursor-x');
    return line?.classList.contains("u-off") === false;
  });
  // A chart that is built again keeps the crosshair, and the keyboard.
  await page.getByRole("button", { name: "Light or dark" }).click({ force: true });
  await page.locator("html[data-theme=light]").waitFor();
  await page.locator('[data-panel="2"] .plot').focus();
  await page.keyboard.press("ArrowLeft");
  await tooltip.waitFor();
  await page.setViewportSize({ width: 1300, height: 1000 });
  await patiently(async () => {
    const crosshairs = page.locator('[data-panel="2"] .u-cursor-x:not(.u-off), [data-panel="3"] .u-cursor-x:not(.u-off)');
    expect(await crosshairs.count()).toBe(2);
    expect(await tooltip.count()).toBe(1);
  });
  await page.keyboard.press("Escape");
  await tooltip.waitFor({ state: "detached" });
  await page.context().close();
});

test("the legend shows one series alone", async () => {
  const page = await open(`${ADMIN}/#/?${RECENT}`);
  const entries = page.locator('[data-panel="6"] .series');
  const hidden = page.locator('[data-panel="6"] .series[aria-pressed="false"]');
  await entries.nth(1).waitFor();
  await patiently(async () => {
    if ((await hidden.count()) === 0) await entries.first().click();
    expect(await hidden.count()).toBeGreaterThan(0);
  });
  expect(await page.locator('[data-panel="6"] .series[aria-pressed="true"]').count()).toBe(1);
  await page.context().close();
});

test("the details show every panel, drawn or without data, and none fails", async () => {
  const page = await open(`${ADMIN}/#/details?${RECENT}`);
  await panels(page).first().waitFor();
  const count = await panels(page).count();
  expect(count).toBeGreaterThan(50);
  for (let at = 0; at < count; at++) {
    const panel = panels(page).nth(at);
    await reach(panel);
    await panel.locator(".u-over, td, .value, .notice:not(:has-text('Loading'))").first().waitFor({ state: "attached" });
    expect(await panel.locator(".notice.bad").count(), await panel.innerText()).toBe(0);
  }
  await page.screenshot({ path: `${SCREENSHOTS}/details.png` });
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("when the server is lost the page says so, and what it shows is grey until it returns", async () => {
  const page = await open(`${ADMIN}/`);
  await page.locator(".banner:not(.unknown)").waitFor();
  await page.route("**/*", (route) => route.abort());
  await page.locator(".banner.unknown").waitFor();
  expect(await page.locator("main.stale").count()).toBe(1);
  expect(await page.title()).toContain("Unknown");
  await page.screenshot({ path: `${SCREENSHOTS}/lost.png` });
  await page.unroute("**/*");
  await page.locator(".banner:not(.unknown)").waitFor();
  expect(await page.locator("main.stale").count()).toBe(0);
  await page.context().close();
});

test("nothing in any view is a serious barrier, in both themes", async () => {
  const queue = `queue/${encodeURIComponent(FAILING)}`;
  const explore = `explore?q=${encodeURIComponent("queue_jobs_total")}`;
  const views = ["", "repeated", "details", "queues", queue, "runbooks/HttpErrorBudgetBurn", explore, `${explore}&as=table`];
  const found: string[] = [];
  for (const theme of ["dark", "light"] as const) {
    const page = await open("about:blank", { theme });
    const audit = async (view: string) => {
      const { found: violations, passed } = await audited(page);
      expect(passed).toBeGreaterThan(10);
      found.push(...violations.map((one) => `${theme} ${view} ${one}`));
    };
    for (const view of views) {
      await page.goto(`${ADMIN}/#/${view}${view.includes("?") ? "&" : "?"}${RECENT}`);
      await page.locator(".u-over, td, .value, .runbook h1").first().waitFor({ state: "attached" });
      if (view === "repeated") await page.getByRole("button", { name: "Add a filter" }).click();
      if (view === explore) {
        await page.locator(".explore .actions .about").click();
        await audit(`${view} (menu)`);
        await page.locator("textarea").fill("");
        await page.locator("textarea").pressSequentially("sum");
        await page.locator("[role=option]").first().waitFor();
      }
      if (view === "") {
        await untilDrawn(page);
        await page.locator(".alert summary").first().click();
        await page.locator(".panel.timeseries .about[aria-pressed]").first().click();
        await page.locator(".panel.timeseries .table td").first().waitFor();
        const hidden = page.locator('.series[aria-pressed="false"]');
        await patiently(async () => {
          if ((await hidden.count()) === 0) await page.locator(".series").first().click({ modifiers: ["Control"] });
          expect(await hidden.count()).toBeGreaterThan(0);
        });
      }
      await audit(view);
    }
    for (const view of ["", "queues", queue]) {
      await page.goto(`${ADMIN}/#/${view}?${RECENT}`);
      await page.locator(".u-over, .queues td, .failures td").first().waitFor({ state: "attached" });
      await page.route("**/*", (route) => route.abort());
      await page.locator("main.stale").waitFor();
      await audit(`${view} (stale)`);
      await page.unroute("**/*");
      await page.locator("main:not(.stale)").waitFor();
    }
    await page.goto(`${GUARDED}/`);
    await page.locator(".login").waitFor();
    await audit("login");
    await signIn(page);
    await page.locator(".alert summary").first().click();
    await page.locator(".mute").waitFor();
    await audit("alert");
    await page.context().close();
  }
  expect(found).toEqual([]);
});

test("a panel is repeated for each queue, and a filter narrows its query", async () => {
  const page = await open(`${ADMIN}/#/repeated?${RECENT}`);
  await page.locator(".panel h3", { hasText: `Jobs of ${QUEUE}` }).waitFor();
  await page.locator(".panel h3", { hasText: `Jobs of ${FAILING}` }).waitFor();
  const count = await panels(page).count();
  expect(count).toBeGreaterThan(3);
  const panel = page.locator(".panel", { hasText: `Jobs of ${FAILING}` });
  await reach(panel);
  // Its seven failed jobs, and its seven waiting ones.
  await panel.locator(".single", { hasText: "waiting" }).locator(".value", { hasText: /^7$/ }).waitFor();
  expect(await panel.locator(".single").count()).toBeGreaterThan(4);

  await page.getByRole("button", { name: "Add a filter" }).click();
  const form = page.locator(".filter-form");
  await form.getByRole("combobox", { name: "Label", exact: true }).selectOption("state");
  await form.getByRole("combobox", { name: "Value of the label" }).fill("waiting");
  await form.getByRole("button", { name: "Add", exact: true }).click();
  await page.locator(".chip", { hasText: "state = waiting" }).waitFor();
  await patiently(async () => expect(await panel.locator(".single").count()).toBe(1));
  expect(new URLSearchParams(new URL(page.url()).hash.split("?")[1]).getAll("var-filters")).toEqual(["state|=|waiting"]);
  await picture(page, "repeated");
  // The address restores it, and the query in Explore has it too.
  await page.reload();
  await page.locator(".chip", { hasText: "state = waiting" }).waitFor();
  await panel.getByRole("button", { name: "Copy or open elsewhere" }).click();
  await panel.getByRole("link", { name: "Open in Explore" }).click();
  await patiently(async () => expect(await queryIn(page)).toBe(`max by (state) (queue_jobs_total{state="waiting",queue="${FAILING}"})`));
  await page.goBack();
  await page.getByRole("button", { name: "Remove the filter state = waiting" }).click();
  await patiently(async () => expect(await panel.locator(".single").count()).toBeGreaterThan(4));
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("the data of a chart is a table, with the keyboard", async () => {
  const page = await open(`${ADMIN}/#/?${RECENT}`);
  const panel = page.locator('[data-panel="2"]');
  await panel.locator(".u-over").waitFor();
  const button = panel.getByRole("button", { name: "Data as a table" });
  await button.focus();
  await page.keyboard.press("Enter");
  await panel.locator(".table tbody th", { hasText: /\d\d:\d\d:\d\d/ }).first().waitFor();
  expect((await panel.locator("td").allTextContents()).some((value) => /\d/.test(value))).toBe(true);
  await page.keyboard.press("Enter");
  await panel.locator(".u-over").waitFor();
  await page.context().close();
});

test("it fits a phone", async () => {
  const page = await open(`${ADMIN}/#/?${RECENT}`, { width: 360, height: 740, theme: "light" });
  await panels(page).first().waitFor();
  await untilDrawn(page);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBe(360);
  await picture(page, "phone");
  await page.context().close();
});

test("an alert is acknowledged and silenced, and that is ended", async () => {
  const page = await open(`${GUARDED}/`);
  await signIn(page);
  const alert = page.locator(".alert", { hasText: "AppDown" });
  await alert.locator("summary").click();
  const button = (name: string) => alert.getByRole("button", { name });
  await alert.getByLabel("Your name").fill("ada");
  await alert.getByLabel("Comment").fill("restarting it");

  // An error is shown, and nothing is lost.
  await page.route("**/ack", (route) => route.fulfill({ status: 404, body: JSON.stringify("no firing alert has the fingerprint") }));
  await button("Acknowledge").click();
  await alert.locator(".bad", { hasText: "no firing alert has the fingerprint" }).waitFor();
  await page.unroute("**/ack");
  expect(await alert.getByLabel("Comment").inputValue()).toBe("restarting it");

  await button("Acknowledge").click();
  await alert.locator(".muted", { hasText: "acknowledged by ada" }).waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/acknowledged.png` });
  await button("End acknowledgement").click();
  await alert.locator(".muted").waitFor({ state: "detached" });

  await alert.getByLabel("Duration of the silence").selectOption({ label: "30 min" });
  await button("Silence for").click();
  await alert.locator(".muted", { hasText: "silenced" }).waitFor();
  const silences = await page.evaluate(async (token) => {
    const answer = await fetch("api/v2/silences", { headers: { authorization: `Bearer ${token}` } });
    return (await answer.json()) as { createdBy: string; startsAt: string; endsAt: string; status: { state: string } }[];
  }, TOKEN);
  expect(silences.map(({ createdBy, status }) => [createdBy, status.state])).toEqual([["ada", "active"]]);
  await button("End silence").click();
  await alert.locator(".muted").waitFor({ state: "detached" });
  await page.context().close();
  expect(complaints).toEqual([]);
});

test("an alert that was posted is shown until it is resolved", async () => {
  const post = async (alert: object) => {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const body = JSON.stringify([{ labels: { alertname: "BackupFailed", severity: "warning" }, ...alert }]);
    expect((await fetch(`${GUARDED}/api/v2/alerts`, { method: "POST", headers, body })).status).toBe(200);
  };
  await post({ annotations: { summary: "no backup tonight" } });
  const page = await open(`${GUARDED}/`);
  await signIn(page);
  const alert = page.locator(".alert", { hasText: "BackupFailed" });
  await alert.getByText("no backup tonight").waitFor();
  await post({ endsAt: new Date().toISOString() });
  await alert.waitFor({ state: "detached" });
  await page.context().close();
});

test("without credentials nothing can be changed, so no change is offered", async () => {
  const page = await open(`${ADMIN}/`);
  const answer = page.waitForResponse((response) => response.url().endsWith("/vigie/v1/alerts"));
  await page.locator(".alert", { hasText: "QueueWaiting" }).locator("summary").click();
  await answer;
  expect(await page.locator(".mute").count()).toBe(0);
  await page.context().close();
});

test("it works behind a path prefix", async () => {
  const proxy = await prefixed("/vigie", ADMIN);
  const page = await open(`${proxy.address}/vigie/`);
  await page.locator(".banner:not(.unknown)").waitFor();
  await page.locator('[data-panel="2"] .u-over').waitFor();
  await page.context().close();
  await proxy.close();
  expect(complaints).toEqual([]);
});
