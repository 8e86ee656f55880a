/** Section 6 in Chromium: what it shows are the engine's numbers for the shipped model, for each side and each mask. */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { padding } from "../../../src/play/engine/padding.ts";
import { formatCell } from "../../../src/play/page/numbers.ts";
import { hasChromium } from "../../support/browser.ts";
import { nodeEngine } from "../../support/play.ts";
import { eventually, openPlay, type PlayHost, playHost } from "../../support/play-page.ts";

/** Nothing trains for long: these tests look at the shipped model. */
const SHORT = "#steps=1&dModel=8&heads=2&contextLength=16&batchSize=2";

let host: PlayHost;
beforeAll(async () => {
  if (hasChromium) host = await playHost();
});
afterAll(async () => {
  if (hasChromium) await host.close();
});

const section = (page: Page) => page.locator("#padding");

/** The counts, once the section can be seen: those above it grow and shrink. */
async function countsOf(page: Page): Promise<string[]> {
  await page.evaluate("document.querySelector('#padding').scrollIntoView()");
  return section(page).locator("table:not(.attention-row) td").allTextContents();
}

async function openShipped(options = {}) {
  const opened = await openPlay(host, SHORT, options);
  const { page } = opened;
  await page.locator("#controls select").selectOption("shipped");
  await eventually(() => countsOf(page)).toEqual(["195 of 195", "0 of 195", "0 of 195"]);
  return opened;
}

describe.skipIf(!hasChromium)("section 6", () => {
  test("masks, the row that sees nothing, and counts are the engine's in Node", async () => {
    const { engine } = await nodeEngine();
    const request = { model: "shipped", mask: "on", texts: ["Tilda", "Abe"], side: "left" } as const;
    const { rows, blind, unchanged } = await padding(engine, request);
    const { page, errors } = await openShipped();
    const pictures = await section(page).locator(".matrix").all();
    expect(pictures).toHaveLength(6);
    const matrices = rows.flatMap(({ causal, padding: hidden, both }) => [causal, hidden, both]);
    for (const [i, picture] of pictures.entries())
      expect(await picture.locator(".number").allTextContents()).toEqual(matrices[i].flat().map(formatCell));
    expect(await pictures[5].getAttribute("aria-label")).toBe(
      "= both: the sum. Rows: [pad] [pad] A b e. Each sees 0, 0, 1, 2, 3 of 5",
    );
    const cells = await section(page).locator(".attention-row td").allTextContents();
    expect(cells).toEqual([
      ...(blind?.scores.map(formatCell) ?? []),
      ...new Array(5).fill("−∞"),
      ...new Array(5).fill("0"),
      ...new Array(5).fill("NaN"),
      ...new Array(5).fill("0"),
    ]);
    const { logits, both, onlyCausal, onlyPadding } = unchanged ?? {};
    expect(await countsOf(page)).toEqual(
      [both, onlyCausal, onlyPadding].map((same) => `${same} of ${logits}`),
    );
    expect(errors).toEqual([]);
    await page.close();
  });

  test("on the right, the causal mask is enough; without it, no row is blind and padding must be hidden", async () => {
    const { page, errors } = await openShipped();
    await section(page).locator("select").selectOption("right");
    await eventually(() => countsOf(page)).toEqual(["195 of 195", "195 of 195", "0 of 195"]);
    await section(page).getByText("the causal mask alone is enough").waitFor();
    await section(page).getByText("Padding on the right comes after the text and sees it").waitFor();
    await page.locator("input[name=mask][value=off]").check({ force: true });
    await eventually(() => countsOf(page)).toEqual(["195 of 195", "0 of 195"]);
    await section(page).getByText("padding sees the text too").waitFor();
    expect(await section(page).locator(".matrix").first().locator(".peek").count()).toBe(1);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("typed texts: hostile ones stay text, equal lengths have no padding, long ones are refused", async () => {
    const { page, errors } = await openShipped();
    const [first, second] = [section(page).locator("input").first(), section(page).locator("input").last()];
    await second.fill("<b>");
    await section(page).getByRole("alert").getByText("<").waitFor();
    expect(await section(page).locator("b:not(figcaption b)").count()).toBe(0);
    await second.fill("Hetty");
    await section(page).getByText("Both texts have the same length").waitFor();
    expect(await section(page).getByRole("alert").count()).toBe(0);
    await first.fill("Hetty the otter");
    await section(page).getByText("room for 12 tokens: “Hetty the otter” has 15").waitFor();
    await first.fill("");
    await section(page).getByRole("alert").getByText("prompt").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  test.each(["light", "dark"] as const)("accessible in %s, 320 pixels wide", async (colorScheme) => {
    const { page, errors } = await openShipped({ colorScheme, viewport: { width: 320, height: 800 } });
    await page.evaluate(axe.source);
    const found = await page.evaluate(
      "axe.run('#padding').then(({ violations }) => violations.map(({ id }) => id))",
    );
    expect(found).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
    expect(errors).toEqual([]);
    await page.close();
  });
});
