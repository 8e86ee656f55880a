/** Section 3 in Chromium: the counts of the shipped model, and choosing a character by pointer and by keyboard. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../../support/browser.ts";
import { eventually, openAtShipped, type PlayHost, playHost, problemsOf } from "../../support/play-page.ts";

const V = 65;

let host: PlayHost;
beforeAll(async () => {
  if (hasChromium) host = await playHost();
});
afterAll(async () => {
  if (hasChromium) await host.close();
});

const section = (page: Page) => page.locator("#leaks");
const sentence = (page: Page) => section(page).locator(".insight");
const isSaid = (page: Page, words: string) => eventually(() => sentence(page).textContent()).toContain(words);

async function openShipped(options = {}) {
  const opened = await openAtShipped(host, "leaks", "", options);
  const { page } = opened;
  await isSaid(page, "all 975 earlier logits changed");
  return opened;
}

/** The headings and the numbers of each mask. */
async function countsOf(page: Page) {
  const bodies = await section(page).locator("tbody").all();
  return Promise.all(
    bodies.map(async (body) => ({
      heading: await body.locator("th").textContent(),
      counts: (await body.locator("td").allTextContents()).map(Number),
    })),
  );
}

describe.skipIf(!hasChromium)("section 3", () => {
  test("0 of 975 earlier logits change with the mask, and all without it", async () => {
    const { page, errors } = await openShipped();
    const [on, off] = await countsOf(page);
    expect([on.heading, off.heading]).toEqual([
      "Mask on: 0 of 975 earlier logits changed",
      "Mask off: 975 of 975 earlier logits changed",
    ]);
    expect(on.counts.slice(0, 15)).toEqual(new Array(15).fill(0));
    expect(on.counts[15]).toBe(V);
    expect(off.counts.slice(0, 16)).toEqual(new Array(16).fill(V));
    expect(await sentence(page).textContent()).toBe(
      "Position 15 is now “A” in place of “U”. Mask on: 0 of 975 earlier logits changed. Mask off: all 975 earlier logits changed.",
    );
    expect(errors).toEqual([]);
    await page.close();
  });

  test("a link to the section stays there while sections above it are drawn", async () => {
    const { page, errors } = await openShipped();
    await page.waitForTimeout(500);
    const box = await section(page).boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(0);
    expect(box?.y).toBeLessThan(120);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("with the switch at shifted, two blocks reach two positions back", async () => {
    const { page, errors } = await openShipped();
    await page.locator("input[name=mask][value=shifted]").check({ force: true });
    await isSaid(page, "because each of its 2 blocks looks one position ahead");
    const [, shifted] = await countsOf(page);
    expect(shifted.heading).toContain("Mask shifted by one");
    expect(shifted.counts.map((count) => count > 0)).toEqual(
      Array.from({ length: 18 }, (_, position) => position >= 13),
    );
    expect(errors).toEqual([]);
    await page.close();
  });

  test("a character is chosen with the pointer or the arrow keys, and replaced by typing", async () => {
    const { page, errors } = await openShipped();
    await section(page).locator(".character").nth(4).click();
    await isSaid(page, "Position 4 is now “A” in place of “h”. Mask on: 0 of 260 earlier logits changed.");
    await page.keyboard.press("ArrowRight");
    await isSaid(page, "Position 5 is now “A” in place of “e”. Mask on: 0 of 325");
    await page.keyboard.press("o");
    await isSaid(page, "Position 5 is now “o” in place of “e”.");
    expect(await section(page).locator(".replacement").inputValue()).toBe("o");
    await page.keyboard.press("e");
    await isSaid(page, "Position 5 is “e” already");
    await section(page).locator(".replacement").fill("y");
    await section(page).locator(".character").nth(0).click();
    await isSaid(page, "Nothing comes before it");
    expect(errors).toEqual([]);
    await page.close();
  });

  test("texts are typed; what the model cannot read is refused in a sentence", async () => {
    const { page, errors } = await openShipped();
    await section(page).locator(".typed").fill("Tilda");
    await isSaid(page, "Position 4 is now “A” in place of “a”. Mask on: 0 of 260");
    for (const [field, bad, words] of [
      [".typed", "<b>", "<"],
      [".typed", "", "at least one character"],
      [".replacement", "木", "木"],
      [".replacement", "", "in place of"],
    ]) {
      await section(page).locator(field).fill(bad);
      await eventually(() => section(page).locator(".refused").textContent()).toContain(words);
      await section(page)
        .locator(field)
        .fill("Tilda".slice(0, field === ".typed" ? 5 : 1));
      await eventually(() => section(page).locator(".refused").count()).toBe(0);
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  test.each([
    [1280, "dark"],
    [320, "light"],
  ] as const)("%i pixels wide, %s: nothing overflows, and axe finds nothing", async (width, colorScheme) => {
    const { page, errors } = await openShipped({ viewport: { width, height: 800 }, colorScheme });
    expect(await problemsOf(page, "#leaks")).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });
});
