/** Section 2 in Chromium: it draws the lesson's numbers, and a row can be chosen by pointer and by keyboard. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MaskLesson, teachMask } from "../../../src/lesson/mask.ts";
import { formatCell } from "../../../src/play/page/numbers.ts";
import { hasChromium } from "../../support/browser.ts";
import { nodeEngine } from "../../support/play.ts";
import { eventually, openAtShipped, type PlayHost, playHost, problemsOf } from "../../support/play-page.ts";

const TEXT = "By the oak sat U";
const T = TEXT.length;

let host: PlayHost;
let lesson: MaskLesson;
beforeAll(async () => {
  if (!hasChromium) return;
  host = await playHost();
  const { model, tokenizer } = await (await nodeEngine()).engine.viewed("shipped");
  lesson = await teachMask(model, tokenizer.encode(TEXT), { layer: 1, head: 2 });
});
afterAll(async () => {
  if (hasChromium) await host.close();
});

const section = (page: Page) => page.locator("#mask");
const title = (page: Page) => section(page).locator(".row-title h3");
const sentence = (page: Page) => section(page).locator(".insight");
const chooseMask = (page: Page, mask: string) =>
  page.locator(`input[name=mask][value=${mask}]`).check({ force: true });

/** Opens the page at layer 1, head 2 of the shipped model. */
async function openShipped(options = {}) {
  const opened = await openAtShipped(host, "mask", "", options);
  const { page } = opened;
  await section(page).locator(".row select").nth(1).selectOption("1");
  await section(page).locator(".row select").nth(2).selectOption("2");
  await section(page).locator(".attention-row").first().waitFor();
  // The answer for this head has arrived when the selected row has its scores.
  await line(page, "score S", lesson.scores[10]);
  return opened;
}

/** Waits until a line of the row in numbers shows these numbers. */
async function line(page: Page, name: string, values: readonly number[]): Promise<void> {
  const row = section(page).locator(".attention-row tr", { has: page.locator("th", { hasText: name }) });
  await eventually(async () =>
    (await row.first().locator("td").allTextContents()).slice(0, values.length),
  ).toEqual(values.map(formatCell));
}

/** The number of cells of a tone in each of the four matrices. */
function cellsOf(page: Page, tone: string): Promise<number[]> {
  const counts = `[...document.querySelectorAll("#mask .matrices:not(.given) svg")].map((svg) =>
    [...svg.querySelectorAll("path.${tone}")].flatMap((path) => path.getAttribute("d").match(/M/g) ?? []).length)`;
  return page.evaluate(counts);
}

describe.skipIf(!hasChromium)("section 2", () => {
  test("shows the numbers of the lesson: the matrices, a row, and the tables", async () => {
    const { page, errors } = await openShipped();
    const { scores, mask, masked, weights, weightsWithoutMask } = lesson;
    await line(page, "+ mask M", mask[10]);
    await line(page, "= S + M", masked[10]);
    await line(page, "÷ sum = A", weights[10]);
    await line(page, "A without M", weightsWithoutMask[10]);
    const hidden = (T * (T - 1)) / 2;
    expect(await cellsOf(page, "hidden")).toEqual([0, hidden, hidden, hidden]);
    expect(await cellsOf(page, "plain")).toEqual([T * T, T * T - hidden, T * T - hidden, T * T - hidden]);
    expect(await cellsOf(page, "peek")).toEqual([0, 0, 0, 0]);
    const later = 100 * weightsWithoutMask[10].slice(11).reduce((sum, weight) => sum + weight, 0);
    expect(await sentence(page).textContent()).toContain(
      `Without the mask, ${Math.round(later)}% of its weight`,
    );

    await section(page).getByText("All numbers as tables").click();
    const tables = section(page).locator("details table");
    await eventually(() => tables.count()).toBe(4);
    for (const [i, matrix] of [scores, mask, masked, weights].entries())
      expect(await tables.nth(i).locator("td.value").allTextContents()).toEqual(
        matrix.flat().map(formatCell),
      );
    expect(errors).toEqual([]);
    await page.close();
  });

  test("a row is chosen with the arrow keys, which is spoken, with buttons, and with the pointer", async () => {
    const { page, errors } = await openShipped();
    const spoken = section(page).locator("[aria-live]");
    await section(page).locator(".matrices").focus();
    const keys = [
      ["ArrowDown", 11],
      ["ArrowUp", 10],
      ["ArrowUp", 9],
      ["Home", 0],
      ["ArrowUp", 0],
      ["End", 15],
      ["ArrowDown", 15],
    ] as const;
    for (const [key, row] of keys) {
      await page.keyboard.press(key);
      await eventually(() => title(page).textContent()).toContain(`Row ${row},`);
      expect(await spoken.textContent()).toBe(await sentence(page).textContent());
      expect(await spoken.textContent()).toContain(`Position ${row},`);
    }
    expect(await section(page).getByLabel("Row below").isDisabled()).toBe(true);
    await section(page).getByLabel("Row above").click();
    await eventually(() => title(page).textContent()).toContain("Row 14,");
    await line(page, "score S", lesson.scores[14]);

    for (const matrix of [0, 1, 2, 3]) {
      const target = section(page).locator(".matrix .target").nth(matrix);
      const box = await target.boundingBox();
      if (box === null) throw new Error("a matrix is not visible");
      const row = 3 + matrix;
      await page.mouse.move(box.x + 20, box.y + ((row + 0.5) * box.height) / T);
      await eventually(() => title(page).textContent()).toContain(`Row ${row},`);
    }
    // The pointer does not make the page talk.
    expect(await spoken.textContent()).toContain("Position 14,");
    expect(errors).toEqual([]);
    await page.close();
  });

  test("the switch rules the mask", async () => {
    const { page, errors } = await openShipped();
    const hidden = (T * (T - 1)) / 2;
    const place = await page.evaluate("scrollY");
    await chooseMask(page, "shifted");
    await eventually(() => cellsOf(page, "hidden")).toEqual([0, ...[1, 2, 3].map(() => hidden - T + 1)]);
    expect(await cellsOf(page, "peek")).toEqual([0, T - 1, T - 1, T - 1]);
    expect(await sentence(page).textContent()).toContain("goes to the next position, which holds the token");
    await page.locator("input[name=mask]:checked").press("ArrowLeft");
    await eventually(() => cellsOf(page, "hidden")).toEqual([0, 0, 0, 0]);
    // The switch is in a bar that stays in view, so nothing has to scroll.
    expect(await page.evaluate("scrollY")).toBe(place);
    expect(await cellsOf(page, "peek")).toEqual([0, hidden, hidden, hidden]);
    expect(await section(page).textContent()).toContain("nothing is hidden in any way");
    expect(errors).toEqual([]);
    await page.close();
  });

  test("each way to hide the future says what it does to the sums and to what leaks", async () => {
    const { page, errors } = await openShipped();
    const facts = (way: string) =>
      section(page)
        .locator(".ways label", { has: page.locator(`[value=${way}]`) })
        .locator(".facts")
        .allTextContents();
    expect(await facts("infinity")).toEqual([
      "rows sum to 1.00",
      "another last token changes 0 of 120 earlier weights",
    ]);
    expect(await facts("large")).toEqual([
      "rows sum to 1.00, the same weights as with −∞, to the bit",
      "another last token changes 0 of 120 earlier weights",
    ]);
    expect(await facts("none")).toEqual([
      "rows sum to 1.00",
      "another last token changes 120 of 120 earlier weights",
    ]);
    const [sums, leak] = await facts("after");
    const smallest = lesson.weightsWithoutMask.map((row, t) =>
      row.slice(0, t + 1).reduce((sum, weight) => sum + weight, 0),
    );
    expect(sums).toBe(`rows sum to ${formatCell(Math.min(...smallest))} … 1.00`);
    expect(leak).toBe("another last token changes 120 of 120 earlier weights");

    await section(page).getByLabel("0 after the softmax").check();
    await line(
      page,
      "× 0 or 1",
      lesson.mask[10].map((added) => (added === 0 ? 1 : 0)),
    );
    await line(
      page,
      "= weight A",
      lesson.weightsWithoutMask[10].map((weight, s) => (s <= 10 ? weight : 0)),
    );
    expect(await sentence(page).textContent()).toContain(`sum to ${formatCell(smallest[10])}, not to 1`);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("the small examples show their queries and keys, and numbers that one can check by hand", async () => {
    const { page, errors } = await openShipped();
    await section(page).getByLabel("attention of").selectOption("three");
    await line(page, "score S", [2, 1, 3]);
    await line(page, "÷ sum = A", [Math.E / (Math.E + 1), 1 / (Math.E + 1), 0]);
    expect(await section(page).locator(".given .matrix").count()).toBe(2);
    expect(await section(page).locator(".given .number").allTextContents()).toEqual(
      Array.from("102221330211" + "200002000011"),
    );
    await section(page).getByLabel("attention of").selectOption("five");
    await line(page, "÷ sum = A", [0.5, 0.5, 0, 0, 0]);
    await section(page).getByLabel("attention of").selectOption("");
    await line(page, "score S", lesson.scores[10]);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("a typed text is taken at once; one that the model cannot read is refused in a sentence", async () => {
    const { page, errors } = await openShipped();
    const text = section(page).locator(".typed");
    await text.fill("Tilda");
    await eventually(() => title(page).textContent()).toContain("Row 4, “a”");
    expect(
      await section(page).locator(".matrix").first().locator("text:not(.number)").allTextContents(),
    ).toEqual(Array.from("TildaTilda"));
    for (const [bad, words] of [
      ["<img src=x>", "<"],
      ["", "at least one character"],
    ]) {
      await text.fill(bad);
      await eventually(() => section(page).locator(".refused").textContent()).toContain(words);
      expect(await title(page).textContent()).toContain("“a”");
    }
    expect(await section(page).locator("img").count()).toBe(0);
    await text.fill("Ashtow");
    await eventually(() => section(page).locator(".refused").count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("the link holds the controls", async () => {
    const { page, errors } = await openShipped();
    await section(page).locator(".typed").fill("Tilda, Abe");
    await section(page).getByLabel("0 after the softmax").check();
    await eventually(() => page.url()).toContain("way=after");
    const link = new URL(page.url()).hash.slice(1);
    await page.close();

    const again = await openAtShipped(host, "mask", link);
    const shown = section(again.page);
    await eventually(() => title(again.page).textContent()).toContain("Row 9, “e”");
    const controls = shown.locator(".row input, .row select");
    const values = await Promise.all((await controls.all()).map((control) => control.inputValue()));
    expect(values).toEqual(["", "Tilda, Abe", "1", "2"]);
    expect(await shown.locator(".ways .chosen b").textContent()).toBe("0 after the softmax");
    // Training writes to the same link.
    await chooseMask(again.page, "off");
    await eventually(() => again.page.url()).toContain("mask=off");
    expect(again.page.url()).toContain("text=Tilda");
    expect([...errors, ...again.errors]).toEqual([]);
    await again.page.close();
  });

  test("a foreign link with wrong values is shown as far as it goes", async () => {
    const { page, errors } = await openAtShipped(host, "mask", "layer=-7&head=1e9&way=x&example=y&text=By");
    await eventually(() => title(page).textContent()).toContain("Row 1, “y”");
    expect(await section(page).locator(".refused").count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  test.each([
    [1280, "light"],
    [390, "dark"],
    [320, "light"],
  ] as const)("%i pixels wide, %s: nothing overflows, and axe finds nothing", async (width, colorScheme) => {
    const { page, errors } = await openShipped({ viewport: { width, height: 800 }, colorScheme });
    await section(page).getByText("All numbers as tables").click();
    await section(page).locator("details table").first().waitFor();
    expect(await problemsOf(page, "#mask")).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });
});
