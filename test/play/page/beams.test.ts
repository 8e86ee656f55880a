/** Section 5 in Chromium: the tree is what the command line's beam search reports. */
import axe from "axe-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../../support/browser.ts";
import { nopeekHere } from "../../support/in-process.ts";
import { openPlay, type PlayHost, playHost, showUntil } from "../../support/play-page.ts";
import { makeFolder } from "../../support/program.ts";

/** A run that is done at once; the sections look at the shipped model. */
const LINK = "#layers=1&heads=2&dModel=32&contextLength=16&batchSize=8&steps=1";
const PROMPT = "By the oak sat ";
/** The page draws the best few of the dropped paths. */
const MOST_DROPPED = 3;

let host: PlayHost;
beforeAll(async () => {
  if (hasChromium) host = await playHost();
});
afterAll(async () => {
  if (hasChromium) await host.close();
});

async function openSection(options: Parameters<typeof openPlay>[2] = {}) {
  const opened = await openPlay(host, LINK, options);
  await opened.page.locator("#bar select").selectOption("shipped");
  const section = opened.page.locator("#beams");
  await showUntil(section, section.locator(".tree"));
  expect(await section.getByLabel("prompt").inputValue()).toBe("By the oak sat ");
  const set = (name: string, value: string) => section.getByLabel(name, { exact: true }).fill(value);
  return { ...opened, section, set };
}

interface Path {
  readonly text: string;
  readonly total: number;
}

const visible = (text: string) => text.replaceAll(" ", "·");
const signed = (total: number) => total.toFixed(2).replace("-", "−");

describe.skipIf(!hasChromium)("section 5", () => {
  test("each node, each result and the greedy continuation are those of the command line", async () => {
    const { page, errors, section, set } = await openSection();
    await set("beams", "4");
    await set("tokens", "6");
    await section.locator(".hypotheses tbody tr").nth(4).waitFor();
    const words = ["sample", "--model", "tales", "--prompt", PROMPT, "--tokens", 6, "--json"];
    const beam = ["--strategy", "beam", "--beams", 4, "--best", 4, "--explain"];
    const found = await nopeekHere(makeFolder(), ...words, ...beam);
    const results = found.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const steps: Record<"followed" | "dropped", Path[]>[] = results[0].steps;
    const paths = steps.flatMap(({ followed, dropped }) => [...followed, ...dropped.slice(0, MOST_DROPPED)]);
    const nodes = await section
      .locator(".tree g")
      .evaluateAll((groups) =>
        groups.map((group) => Array.from(group.querySelectorAll("text"), ({ textContent }) => textContent)),
      );
    expect(nodes).toEqual(paths.map(({ text, total }) => [visible(text.slice(-1)), signed(total)]));
    // A line leads to each node; those to nodes that were given up are dashed.
    expect(await section.locator(".tree path").count()).toBe(nodes.length);
    const givenUp = paths.filter(({ text }) => !results.some((result) => result.text.startsWith(text)));
    expect(await section.locator(".tree path.given-up").count()).toBe(givenUp.length);
    expect(givenUp.length).toBeGreaterThan(10);
    const best = await section.locator(".tree g.best .token").allTextContents();
    expect(best.join("")).toBe(visible(results[0].text));

    const greedily = await nopeekHere(makeFolder(), ...words, "--strategy", "greedy");
    const greedy = JSON.parse(greedily.stdout);
    const row = (name: string, result: { text: string; logProbabilities: number[] }) => [
      ...[name, visible(result.text)],
      signed(result.logProbabilities.reduce((sum, value) => sum + value)),
    ];
    const rows = await section
      .locator(".hypotheses tbody tr")
      .evaluateAll((all) => all.map((each) => Array.from(each.children, ({ textContent }) => textContent)));
    expect(rows).toEqual([...results.map((result, i) => row(String(i + 1), result)), row("greedy", greedy)]);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("a length penalty shows scores, an end ends a path, and the comparison with greedy is in a sentence", async () => {
    const { page, errors, section, set } = await openSection();
    await section.getByText(/The ln p of the best result is [\d.]+ higher than that of the greedy/).waitFor();
    await set("length penalty", "1.5");
    await section.getByRole("columnheader", { name: "score" }).waitFor();
    await set("ends at", " ");
    await section
      .locator(".hypotheses tbody td.mono", { hasText: /^[A-Z][a-z]+·$/ })
      .first()
      .waitFor();
    await set("beams", "1");
    await section.getByText("the greedy continuation is the best").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  test("what cannot be searched is refused in a sentence, and a good setting recovers", async () => {
    const { page, errors, section, set } = await openSection();
    const refusals = [
      ["prompt", "", "the prompt is empty", PROMPT],
      ["prompt", "é", "is not among", PROMPT],
      ["beams", "99", "from 1 to 5", "2"],
      ["tokens", "0", "from 1 to 10", "3"],
      ["length penalty", "-1", "`lengthPenalty` must be", "0"],
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

  test("fits a narrow screen, scrolls by keyboard, and axe finds nothing: light, dark, forced colors", async () => {
    for (const colors of [
      { colorScheme: "light" },
      { colorScheme: "dark" },
      { forcedColors: "active" },
    ] as const) {
      const { page, errors, section } = await openSection({
        ...colors,
        viewport: { width: 320, height: 700 },
      });
      const box = section.locator(".scroll");
      await box.focus();
      await page.keyboard.press("ArrowRight");
      await expect.poll(() => box.evaluate(({ scrollLeft }) => scrollLeft)).toBeGreaterThan(0);
      expect(await section.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
      await page.evaluate(axe.source);
      const violations = await page.evaluate(
        "axe.run('#beams').then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))",
      );
      expect(violations).toEqual([]);
      expect(errors).toEqual([]);
      await page.close();
    }
  });
});
