/** The focused control in Chromium, while sections above it grow. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../../support/browser.ts";
import { eventually, openAtShipped, type PlayHost, playHost } from "../../support/play-page.ts";

let host: PlayHost;
beforeAll(async () => {
  if (hasChromium) host = await playHost();
});
afterAll(() => host?.close());

/** Opens the page with every section drawn, and the prompt of section 4 focused at the bottom of a phone's window. */
async function openFocused() {
  const opened = await openAtShipped(host, "token", "", { viewport: { width: 320, height: 700 } });
  const { page } = opened;
  for (const id of ["train", "mask", "leaks", "token"]) {
    await page.locator(`#${id}`).scrollIntoViewIfNeeded();
    await eventually(() =>
      page.locator(`#${id} .insight, #${id} .written, #${id} canvas`).count(),
    ).toBeGreaterThan(0);
  }
  await page.waitForTimeout(500);
  await page.evaluate(`{
    const prompt = document.querySelector("#token .prompt");
    prompt.focus();
    scrollBy(0, prompt.getBoundingClientRect().bottom - innerHeight + 40);
  }`);
  return opened;
}

const placeOfPrompt = (page: Page) =>
  page.evaluate<{ top: number; bottom: number }>(
    `(({ top, bottom }) => ({ top, bottom }))(document.querySelector("#token .prompt").getBoundingClientRect())`,
  );

/** Adds a block of 600 pixels to an element, before its first child or after its last, and waits until it is drawn. */
async function grow(page: Page, selector: string, method: "prepend" | "append") {
  await page.evaluate(`new Promise((resolve) => {
    const block = document.createElement("div");
    block.style.height = "600px";
    document.querySelector(${JSON.stringify(selector)}).${method}(block);
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 100)));
  })`);
}

describe.skipIf(!hasChromium)("the focused control (no Chromium: skipped)", () => {
  test.each([
    ["the section above it grows", "#leaks .body", "append"],
    ["its own section grows above it", "#token", "prepend"],
  ] as const)("stays in view while %s", async (_, selector, method) => {
    const { page, errors } = await openFocused();
    const before = await placeOfPrompt(page);
    expect(before.bottom).toBeLessThan(700);
    await grow(page, selector, method);
    const { top, bottom } = await placeOfPrompt(page);
    expect(top).toBeGreaterThan(0);
    expect(bottom).toBeLessThan(700);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("does not scroll the page back once the reader has scrolled away", async () => {
    const { page } = await openFocused();
    await page.evaluate("scrollTo(0, 0)");
    await grow(page, "#leaks .body", "append");
    expect(await page.evaluate("scrollY")).toBe(0);
    await page.close();
  });
});
