/** Section 7 in Chromium: three kinds of models, two of which are trained on the page while it answers. */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { continueText } from "../../../src/play/engine/kinds.ts";
import { hasChromium } from "../../support/browser.ts";
import { nodeEngine } from "../../support/play.ts";
import { eventually, openPlay, type PlayHost, playHost, showUntil } from "../../support/play-page.ts";

/** Nothing else trains for long. */
const SHORT = "#steps=1&dModel=8&heads=2&contextLength=16&batchSize=2";

let host: PlayHost;
beforeAll(async () => {
  if (hasChromium) host = await playHost();
});
afterAll(async () => {
  if (hasChromium) await host.close();
});

const kind = (page: Page, place: number) => page.locator("#kinds article").nth(place);

async function openKinds(address = SHORT, options = {}) {
  const opened = await openPlay(host, address, options);
  const { page } = opened;
  await page.locator("#controls select").selectOption("shipped");
  for (const place of [0, 1, 2]) await showUntil(kind(page, place), kind(page, place).locator(".matrix"));
  return opened;
}

describe.skipIf(!hasChromium)("section 7", () => {
  test("three masks: all, the past, and the source with the past of the answer", async () => {
    const { page, errors } = await openKinds();
    const seen = async (place: number) => {
      const label = await kind(page, place).locator(".matrix").getAttribute("aria-label");
      return /Each sees ([\d, ]+) of/
        .exec(label ?? "")?.[1]
        .split(", ")
        .map(Number);
    };
    expect(await seen(0)).toEqual(new Array(16).fill(16));
    expect(await seen(1)).toEqual(Array.from({ length: 14 }, (_, t) => t + 1));
    // An untrained model writes nothing: the answer shown is the correct one, after [start].
    expect(await seen(2)).toEqual([5, 5, 5, 5, 5, 6, 7, 8, 9, 10, 11]);
    for (const place of [0, 2]) await kind(page, place).getByText("has not been trained yet").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  test("with the switch off, the GPT continues otherwise, as in Node; the encoder stays as it is, and why", async () => {
    const { engine } = await nodeEngine();
    const request = { model: "shipped", mask: "off", prompt: "By the oak sat" } as const;
    const { text, causalText } = await continueText(engine, request);
    const { page, errors } = await openKinds();
    const written = (place: number) => kind(page, place).locator(".written mark").allTextContents();
    const encoder = await written(0);
    await eventually(() => written(1)).toEqual([causalText]);
    await page.locator("input[name=mask][value=off]").check({ force: true });
    await kind(page, 1).scrollIntoViewIfNeeded();
    await eventually(() => written(1)).toEqual([text, causalText]);
    await showUntil(kind(page, 0), kind(page, 0).getByText("an encoder has no causal mask"));
    expect(await written(0)).toEqual(encoder);
    expect(await kind(page, 0).locator(".matrix .peek").count()).toBe(0);
    expect(await kind(page, 1).locator(".matrix .peek").count()).toBe(1);
    const warning = "Trained without the causal mask, its loss falls to 0";
    await showUntil(kind(page, 2), kind(page, 2).getByText(warning));
    expect(errors).toEqual([]);
    await page.close();
  });

  test("the encoder–decoder is trained on the page, which answers meanwhile, pauses when hidden, and continues", async () => {
    const { page, errors } = await openKinds();
    const answers = kind(page, 2);
    await showUntil(answers, answers.getByText("800 steps, about"));
    await answers.getByRole("button", { name: "Train it here" }).click();
    await answers.getByText(/step \d+ of 800 · loss [\d.]+ · \d+ s left/).waitFor();
    await kind(page, 1).locator("input").fill("Ulf the b");
    await eventually(() => kind(page, 1).locator(".written").first().textContent()).toContain("Ulf the b");
    await answers.getByText(/of 194 unseen strings right/).waitFor();
    const show = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, "hidden", { configurable: true, value: ${hidden} });
        document.dispatchEvent(new Event("visibilitychange"));`,
      );
    await show(true);
    await answers.getByRole("button", { name: "Continue" }).waitFor();
    await show(false);
    await answers.getByRole("button", { name: "Pause" }).click();
    await answers.getByRole("button", { name: "Continue" }).waitFor();
    await show(true);
    await show(false);
    await answers.locator("input").fill("cab");
    await answers
      .getByText(/bac|right: it is reversed/)
      .first()
      .waitFor();
    expect(await answers.getByRole("button").textContent()).toBe("Continue");
    expect(errors).toEqual([]);
    await page.close();
  });

  test("what a model cannot read is refused beside it, and the others stay", async () => {
    const { page, errors } = await openKinds();
    const refusal = (place: number) => kind(page, place).getByRole("alert");
    await kind(page, 0).locator("input").fill("Milo");
    await refusal(0).getByText("has no blank").waitFor();
    await kind(page, 1).locator("input").fill("<img src=x>");
    await refusal(1).getByText("<").waitFor();
    await kind(page, 2).locator("input").fill("xyz");
    await refusal(2).waitFor();
    await kind(page, 2).locator("input").fill("ab");
    await refusal(2).getByText("strings of 3 to 10 letters: got 2").waitFor();
    expect(await page.locator("#kinds img").count()).toBe(0);
    await kind(page, 0).locator("input").fill("M_lo");
    await kind(page, 0).locator(".written", { hasText: "lo" }).waitFor();
    await eventually(() => refusal(0).count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  test.each(["light", "dark"] as const)("accessible in %s, 320 pixels wide", async (colorScheme) => {
    const { page, errors } = await openKinds(`${SHORT}&mask=off`, {
      colorScheme,
      viewport: { width: 320, height: 800 },
    });
    await page.evaluate(axe.source);
    const found = await page.evaluate(
      "axe.run('#kinds').then(({ violations }) => violations.map(({ id }) => id))",
    );
    expect(found).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
    expect(errors).toEqual([]);
    await page.close();
  });
});
