/** Section 4 in Chromium: what is drawn is what the command on the page explains, and the mask switch rules it. */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../../support/browser.ts";
import { nopeekHere } from "../../support/in-process.ts";
import { openPlay, type PlayHost, playHost, showUntil } from "../../support/play-page.ts";
import { makeFolder } from "../../support/program.ts";

/** A run that is done at once; the sections look at the shipped model. */
const LINK = "#layers=1&heads=2&dModel=32&contextLength=16&batchSize=8&steps=1";
const PROMPT = "One misty Sunday in Ashford, ";

let host: PlayHost;
beforeAll(async () => {
  if (hasChromium) host = await playHost();
});
afterAll(async () => {
  if (hasChromium) await host.close();
});

async function openSection(options: Parameters<typeof openPlay>[2] = {}) {
  const opened = await openPlay(host, LINK, options);
  const { page } = opened;
  await page.locator("#bar select").selectOption("shipped");
  const section = page.locator("#token");
  await showUntil(section, section.getByText("token 1 of at most 498"));
  expect(await section.getByLabel("prompt").inputValue()).toBe("By the oak sat ");
  const set = (name: string, value: string) => section.getByLabel(name, { exact: true }).fill(value);
  const press = (name: string) => section.getByRole("button", { name }).click();
  return { ...opened, section, set, press };
}

const chooseMask = (page: Page, mask: string) =>
  page.locator(`input[name=mask][value=${mask}]`).check({ force: true });

/** The words of a command for the shell. */
function wordsOf(command: string): string[] {
  return Array.from(command.matchAll(/'([^']*)'|\S+/g), ([word, quoted]) => quoted ?? word);
}

const visible = (text: string) => text.replaceAll(" ", "·");
const percent = (share: number) => `${(100 * share).toFixed(2)}%`;

describe.skipIf(!hasChromium)("section 4", () => {
  test("shows what the command that it names explains, token by token", async () => {
    const { page, errors, section, set, press } = await openSection();
    await set("prompt", PROMPT);
    await set("temperature", "1.4");
    await set("top-k", "9");
    await set("top-p", "0.9");
    await set("min-p", "0.03");
    await set("repetition penalty", "1.2");
    await set("seed", "5");
    await section.locator("code", { hasText: "--seed 5 " }).waitFor();
    for (let step = 1; step <= 3; step++) {
      if (step > 1) await press("Next token");
      await section.getByText(`token ${step} of at most 484`).waitFor();
      const command = (await section.locator("code").textContent()) ?? "";
      const [npx, nopeek, ...words] = wordsOf(command);
      expect([npx, nopeek]).toEqual(["npx", "nopeek"]);
      const { stdout } = await nopeekHere(makeFolder(), ...words, "--json");
      const { text, steps } = JSON.parse(stdout);
      expect(steps).toHaveLength(step);
      const { candidates, rules, text: drawn } = steps[step - 1];
      const written = await section.locator(".written").textContent();
      expect(written).toBe(`text so far: ${PROMPT}${text.slice(0, -1)}${visible(text.slice(-1))}`);
      expect(await section.locator(".written mark").textContent()).toBe(visible(drawn));

      const cells = await section
        .locator(".candidates tbody tr")
        .evaluateAll((rows) =>
          rows.map((row) =>
            Array.from(row.querySelectorAll("th, td"), ({ textContent }) => textContent?.trim()),
          ),
        );
      const expected = candidates.slice(0, 5).map((candidate: Record<string, never>) => {
        const { text, probability, probabilityLeft, droppedBy } = candidate;
        const left = droppedBy === null ? percent(probabilityLeft) : `dropped by ${droppedBy}`;
        return [visible(text), percent(probability), left];
      });
      expect(cells.slice(0, 5).map(([token, , , model, left]) => [token, model, left])).toEqual(expected);
      expect(await section.locator(".candidates .drawn th").textContent()).toBe(visible(drawn));

      const items = await section.locator(".rules li").allTextContents();
      expect(items.map((item) => /^([a-z -]+ [\d.]+) /.exec(item)?.[1])).toEqual(
        rules.map(({ rule, value }: Record<string, unknown>) => `${rule} ${value}`),
      );
      for (const [i, { dropped, left }] of rules.entries()) {
        expect(items[i]).toContain(`; ${left} left`);
        if (dropped > 0) expect(items[i]).toContain(`drops ${dropped} token`);
      }
    }
    await press("Back");
    await section.getByText("token 2 of at most 484").waitFor();
    // Presses during an answer count too.
    for (let i = 0; i < 5; i++) await press("Next token");
    await section.getByText("token 7 of at most 484").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  test("the cache has a row of cells for each head, and a step adds one column", async () => {
    const { page, errors, section, press } = await openSection();
    // Two layers of keys and values with four heads each.
    const cells = () =>
      section
        .locator(".cache path")
        .evaluateAll((paths) =>
          paths.reduce((sum, path) => sum + (path.getAttribute("d")?.match(/M/g)?.length ?? 0), 0),
        );
    const added = () =>
      section
        .locator(".cache .new")
        .first()
        .evaluate((frame) => Number(frame.getAttribute("width")));
    expect(await cells()).toBe(2 * 2 * 4 * 15);
    const whole = await added();
    await press("Next token");
    await section.getByText("token 2 of").waitFor();
    expect(await cells()).toBe(2 * 2 * 4 * 16);
    expect(await added()).toBe(whole / 15);
    await section
      .getByText("16 scores for each of 8 heads; without a cache it would be all 136 again")
      .waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  test("with the mask, one pass and single steps agree to the bit; without it they do not, and the page says why", async () => {
    const { page, errors, section } = await openSection();
    await section.getByText("All 975 logits are equal, to the last bit").waitFor();
    expect(await section.locator(".differences rect").count()).toBe(0);
    const choose = async (mask: string, says: string) => {
      await chooseMask(page, mask);
      await showUntil(section, section.getByText(says));
    };
    for (const mask of ["off", "shifted"]) {
      await choose(mask, "what it trains is not what the steps compute");
      expect(await section.locator(".differences rect").count()).toBe(15);
      // No command line has such a model.
      expect(await section.locator("code").count()).toBe(0);
      await choose("on", "to the last bit");
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  test("what cannot be drawn is refused in a sentence, and a good setting recovers", async () => {
    const { page, errors, section, set } = await openSection();
    const refusals = [
      ["prompt", "", "the prompt is empty", PROMPT],
      ["prompt", "é<img src=x>", '"é" (U+00E9) is not among', PROMPT],
      ["prompt", "a".repeat(600), "at most 512 tokens", PROMPT],
      ["temperature", "-1", "`temperature` must be", "1"],
      ["top-p", "2", "`topP` must be", ""],
      ["top-k", "0", "`topK` must be", ""],
      ["seed", "", "`seed` must be", "3"],
    ];
    for (const [name, wrong, message, right] of refusals) {
      await set(name, wrong);
      await section.locator(".refused", { hasText: message }).waitFor();
      await set(name, right);
      await section.locator(".refused").waitFor({ state: "detached" });
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  test("is steered by keyboard, fits a narrow screen, and axe finds nothing: light, dark, forced colors", async () => {
    for (const colors of [
      { colorScheme: "light" },
      { colorScheme: "dark" },
      { forcedColors: "active" },
    ] as const) {
      const viewport = { width: 320, height: 700 };
      const { page, errors, section } = await openSection({ ...colors, viewport });
      await section.getByLabel("prompt").focus();
      await page.keyboard.press("Tab");
      // Back is disabled at the first token.
      await page.keyboard.press("Enter");
      await section.getByText("token 2 of").waitFor();
      await expect(section.locator("[aria-live]").textContent()).resolves.toMatch(/^. is drawn$/);
      const widest = await section.evaluate((element) => element.scrollWidth - element.clientWidth);
      expect(widest).toBeLessThanOrEqual(0);
      await page.evaluate(axe.source);
      const violations = await page.evaluate(
        "axe.run('#token').then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))",
      );
      expect(violations).toEqual([]);
      expect(errors).toEqual([]);
      await page.close();
    }
  });
});
