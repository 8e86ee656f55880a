/**
 * A report in a real browser: light and dark, desktop and phone, with pointer, touch and keyboard. Needs Chromium,
 * from the system or CHROME_PATH; without it, these tests are skipped.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reportOf } from "../../../src/report/html.ts";
import { DARK, LIGHT } from "../../../src/report/run-styles.ts";
import { findChromium, launch } from "../../support/chromium.ts";
import { MAIN, makeFolder, START_MS } from "../../support/program.ts";
import { emptyRun, exampleRuns, HOSTILE } from "../example-runs.ts";

const chromium = findChromium();
const folder = makeFolder();
const file = join(folder, "report.html");
const script = readFileSync(join(MAIN, "../../report/browser/page.js"), "utf8");
const runs = exampleRuns();
const opening = { x: "steps", yScale: "linear" } as const;

let browser: Browser;
beforeAll(async () => {
  writeFileSync(file, reportOf(runs, opening, script, "today"));
  if (chromium !== null) browser = await launch(chromium);
}, START_MS);
afterAll(() => browser?.close());

/** Runs `body` in a page and checks that it logged no errors and made no requests. */
async function inPage(options: BrowserContextOptions, body: (page: Page) => Promise<void>, path = file) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const [complaints, requests]: [string[], string[]] = [[], []];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  try {
    await page.goto(pathToFileURL(path).href);
    await body(page);
    expect(complaints).toEqual([]);
    expect(requests).toEqual([pathToFileURL(path).href]);
  } finally {
    await context.close();
  }
}

/** Returns the window position of a value on the horizontal axis, computed from the axis labels. */
async function pixelOf(page: Page, chart: string, value: number): Promise<{ x: number; y: number }> {
  const labels = await page.locator(`#${chart} .axes text[text-anchor=middle]`).all();
  const ends = await Promise.all(
    [labels[0], labels[labels.length - 1]].map(async (label) => {
      const box = await label.boundingBox();
      if (box === null) throw new Error("a label is not visible");
      return { at: box.x + box.width / 2, value: Number((await label.textContent())?.replaceAll(",", "")) };
    }),
  );
  const [from, to] = ends;
  const box = await page.locator(`#${chart} > svg`).boundingBox();
  if (box === null) throw new Error("the chart is not visible");
  const x = from.at + ((value - from.value) * (to.at - from.at)) / (to.value - from.value);
  return { x, y: box.y + box.height / 2 };
}

/** The heading and rows of a chart's tooltip. */
async function tipOf(page: Page, chart: string) {
  const tip = page.locator(`#${chart} .tip`);
  const [names, values] = await Promise.all([
    tip.locator("dt").allTextContents(),
    tip.locator("dd").allTextContents(),
  ]);
  return { head: await tip.locator("b").textContent(), rows: names.map((name, i) => [name, values[i]]) };
}

const valueAt = (run: number, curve: "smoothed" | "validation" | "learningRate", step: number) =>
  runs[run].curves[curve].filter(([at]) => at === step)[0][2];
const curvesOf = (page: Page, chart: string) =>
  page.locator(`#${chart} path[data-curve]:not([data-curve=""])`);
const OPEN_ALL = "for (const each of document.querySelectorAll('details')) each.open = true";
const overflow = (page: Page) => page.evaluate("document.documentElement.scrollWidth - innerWidth");

describe.skipIf(chromium === null)("a report in a browser (no Chromium: skipped)", () => {
  it("draws every curve without network requests or errors", () =>
    inPage({}, async (page) => {
      expect(await curvesOf(page, "loss").count()).toBe(6);
      expect(await curvesOf(page, "learningRate").count()).toBe(2);
      expect(await curvesOf(page, "gradientNorm").count()).toBe(2);
      for (const chart of ["loss", "learningRate", "gradientNorm"]) {
        expect(await page.locator(`#${chart} > svg > title`).textContent()).not.toBe("");
        expect((await page.locator(`#${chart} > svg`).boundingBox())?.width).toBeGreaterThan(400);
      }
      expect(await page.locator("#keys label").allTextContents()).toEqual(["first", "second"]);
    }));

  it("shows the values under the pointer", () =>
    inPage({}, async (page) => {
      for (const step of [20, 47, 60]) {
        const { x, y } = await pixelOf(page, "loss", step);
        await page.mouse.move(x, y);
        const near = Math.min(60, Math.round(step / 20) * 20);
        const where = near === step ? "" : ` (step ${near})`;
        expect(await tipOf(page, "loss")).toEqual({
          head: `step ${step}`,
          rows: [
            ["first training", valueAt(0, "smoothed", step).toFixed(4)],
            ["first validation", valueAt(0, "validation", near).toFixed(4) + where],
            ["second training", valueAt(1, "smoothed", step).toFixed(4)],
            ["second validation", valueAt(1, "validation", near).toFixed(4) + where],
          ],
        });
      }
      const { x, y } = await pixelOf(page, "learningRate", 40);
      await page.mouse.move(x, y);
      expect(await page.locator("#loss .tip").isVisible()).toBe(false);
      const { head, rows } = await tipOf(page, "learningRate");
      expect(head).toBe("step 40");
      expect(Number(rows[0][1])).toBeCloseTo(valueAt(0, "learningRate", 40), 5);
    }));

  it("responds to its controls", () =>
    inPage({}, async (page) => {
      await page.locator("#keys input").first().uncheck();
      expect(await curvesOf(page, "loss").count()).toBe(3);
      await page.locator("input[name=steps]").uncheck();
      expect(await curvesOf(page, "loss").count()).toBe(2);
      await page.locator("input[value=tokens]").check();
      expect(await page.locator("#loss .axes").textContent()).toContain("tokens");
      const { x, y } = await pixelOf(page, "loss", 40 * 512);
      await page.mouse.move(x, y);
      expect(await tipOf(page, "loss")).toEqual({
        head: "20,480 tokens",
        rows: [
          ["second training", valueAt(1, "smoothed", 40).toFixed(4)],
          ["second validation", valueAt(1, "validation", 40).toFixed(4)],
        ],
      });
      const path = () => curvesOf(page, "loss").first().getAttribute("d");
      const linear = await path();
      await page.locator("input[value=log]").check();
      const log = await path();
      expect(log).not.toBe(linear);
      await page.locator("input[name=skipped]").fill("50");
      expect((await path())?.length).toBeLessThan((log?.length ?? 0) * 0.7);
    }));

  it("has no labels over each other and no cut table, on a desktop and on a phone", async () => {
    const path = join(folder, "close.html");
    const levels = [
      [4.17, 0.51],
      [4.1744, 0.52],
      [4.3, 0.5146],
      [9, 0],
    ];
    const close = levels.map(([uniformNats, floorNats], i) => {
      const name = `a-rather-long-name-of-a-run-${i}`;
      return {
        ...runs[0],
        name,
        path: `checkpoints/${name}`,
        uniformNats,
        floorNats,
        settings: { "--seed": `${i}` },
      };
    });
    writeFileSync(path, reportOf(close, opening, script, "today"));
    for (const width of [390, 1280]) {
      await inPage(
        { viewport: { width, height: 900 } },
        async (page) => {
          await page.evaluate(OPEN_ALL);
          expect(await overflow(page)).toBe(0);
          for (const table of await page.locator(".scroll").all())
            expect(await table.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
          const labels = await page.locator("#loss .levels text").all();
          expect(labels).toHaveLength(8);
          const boxes = await Promise.all(labels.map((label) => label.boundingBox()));
          const edges = boxes.map((box) => ({
            top: box?.y ?? 0,
            bottom: (box?.y ?? 0) + (box?.height ?? 0),
          }));
          edges.sort((a, b) => a.top - b.top);
          for (let i = 1; i < edges.length; i++)
            expect(edges[i].top).toBeGreaterThanOrEqual(edges[i - 1].bottom - 1);
        },
        path,
      );
    }
  });

  it("can be read with the arrow keys", () =>
    inPage({}, async (page) => {
      await page.locator("#loss").focus();
      await page.keyboard.press("ArrowRight");
      expect((await tipOf(page, "loss")).head).toBe("step 1");
      await page.keyboard.press("Shift+ArrowRight");
      expect((await tipOf(page, "loss")).head).toBe("step 11");
      await page.keyboard.press("ArrowLeft");
      expect((await tipOf(page, "loss")).head).toBe("step 10");
      await page.keyboard.press("Escape");
      expect(await page.locator("#loss .tip").isVisible()).toBe(false);
    }));

  it.each([360, 1280])("nothing overflows at %i pixels, including the tooltip", (width) =>
    inPage({ viewport: { width, height: 740 }, hasTouch: true }, async (page) => {
      expect(await overflow(page)).toBe(0);
      await page.locator("#loss").scrollIntoViewIfNeeded();
      for (const step of [2, 30, 96]) {
        const { x, y } = await pixelOf(page, "loss", step);
        await page.touchscreen.tap(x, y);
        const tip = await page.locator("#loss .tip").boundingBox();
        expect(tip?.x).toBeGreaterThanOrEqual(0);
        expect((tip?.x ?? 0) + (tip?.width ?? width)).toBeLessThanOrEqual(width);
        // On a phone, the tooltip must not cover the chart.
        const chart = await page.locator("#loss > svg").boundingBox();
        if (width < 600) expect(tip?.y).toBeGreaterThanOrEqual((chart?.y ?? 0) + (chart?.height ?? 0) - 1);
        expect(await overflow(page)).toBe(0);
      }
      await page.evaluate(OPEN_ALL);
      expect(await overflow(page)).toBe(0);
    }),
  );

  it.each(["light", "dark"] as const)(
    "has %s colors, and axe finds no accessibility problem",
    (colorScheme) =>
      inPage({ colorScheme }, async (page) => {
        const palette = colorScheme === "dark" ? DARK : LIGHT;
        const rgb = (color: string) =>
          `rgb(${[1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)).join(", ")})`;
        expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe(
          rgb(palette.paper),
        );
        const stroke = "getComputedStyle(document.querySelector('#loss path.s1')).stroke";
        expect(await page.evaluate(stroke)).toBe(rgb(palette.runs[1]));
        await page.evaluate(OPEN_ALL);
        await page.locator("#loss").focus();
        await page.keyboard.press("ArrowRight");
        await page.evaluate(axe.source);
        const found = await page.evaluate(
          "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))",
        );
        expect(found).toEqual([]);
      }),
  );

  it("shows hostile names and samples without interpreting them", async () => {
    const hostile = { name: HOSTILE, path: HOSTILE, status: HOSTILE, corpus: HOSTILE };
    const rest = { settings: { [HOSTILE]: HOSTILE }, next: [{ purpose: HOSTILE, command: HOSTILE }] };
    const path = join(folder, "hostile.html");
    const run = { ...runs[0], ...hostile, ...rest, samples: [{ step: 20, text: HOSTILE }] };
    writeFileSync(path, reportOf([run, { ...run, corpusId: "other" }], opening, script, HOSTILE));
    await inPage(
      {},
      async (page) => {
        const { x, y } = await pixelOf(page, "loss", 40);
        await page.mouse.move(x, y);
        expect(await page.locator("#loss .tip dt").first().textContent()).toContain("<img src=x");
        expect(await page.title()).toBe(
          `Loss of ${[1, 2].map(() => HOSTILE.replace("\u001b", "\ufffd")).join(" and ")}`,
        );
        expect(await page.locator("img").count()).toBe(0);
        expect(await page.locator("script").count()).toBe(2);
        expect(await page.locator("pre.sample").first().textContent()).toBe(
          HOSTILE.replace("\u001b", "\ufffd"),
        );
        expect(await curvesOf(page, "loss").count()).toBe(6);
        expect(await overflow(page)).toBe(0);
      },
      path,
    );
  });

  it("forbids foreign scripts and network requests", async () => {
    const page = await browser.newPage();
    await page.goto(pathToFileURL(file).href);
    const failed = page.waitForEvent("requestfailed");
    const forbidden = page.waitForEvent("console", (message) => message.text().includes("img-src"));
    const lines = [
      "const script = document.createElement('script')",
      "script.textContent = 'window.obeyed = true'",
      "const picture = document.createElement('img')",
      "picture.src = 'https://example.com/x.png'",
      "document.body.append(script, picture)",
    ];
    await page.evaluate(`{ ${lines.join("; ")} }`);
    expect((await forbidden).text()).toMatch(/Content Security Policy/i);
    expect(await page.evaluate("window.obeyed")).toBeUndefined();
    expect((await failed).failure()?.errorText).toBe("csp");
    await page.close();
  });

  it("shows charts without scripts, and a message for an empty run", async () => {
    await inPage({ javaScriptEnabled: false }, async (page) => {
      expect(await curvesOf(page, "loss").count()).toBe(6);
      expect(await page.locator("#controls").isVisible()).toBe(false);
    });
    const path = join(folder, "empty.html");
    writeFileSync(path, reportOf([emptyRun()], opening, script, "today"));
    await inPage(
      {},
      async (page) => expect(await page.locator("#loss > svg").textContent()).toContain("no step yet"),
      path,
    );
  });
});
