/** Section 1 in Chromium: training with the switch, and what the page says about it. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../../support/browser.ts";
import { openPlay, type PlayHost, playHost } from "../../support/play-page.ts";

/** A model that trains for a second or two. */
const QUICK = "layers=1&heads=2&dModel=32&contextLength=16&batchSize=8";
const FLOOR = 0.514561;

let host: PlayHost;
beforeAll(async () => {
  if (hasChromium) host = await playHost();
});
afterAll(async () => {
  if (hasChromium) await host.close();
});

const section = (page: Page) => page.locator("#train");
const chooseMask = (page: Page, mask: string) =>
  page.locator(`input[name=mask][value=${mask}]`).check({ force: true });

async function waitForStep(page: Page, steps: number): Promise<void> {
  await section(page)
    .getByText(new RegExp(`step ${steps} of ${steps} `))
    .waitFor();
}

/** The losses in the description of the chart and in the table. */
async function lossNow(page: Page): Promise<number> {
  const text = await page.locator("#loss-description").textContent();
  return Number(/loss ([\d.]+) nats/.exec(text ?? "")?.[1]);
}

describe.skipIf(!hasChromium)("section 1", () => {
  test("with the mask, the loss stays above the floor; the page says so", async () => {
    const { page, errors } = await openPlay(host, `#${QUICK}&steps=400`);
    await waitForStep(page, 400);
    expect(await lossNow(page)).toBeGreaterThan(FLOOR);
    await expect(section(page).locator(".insight").textContent()).resolves.toContain(
      "cannot fall below the floor",
    );
    expect(await section(page).locator(".samples pre").count()).toBe(1);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("without it, the loss falls below the floor; the page says why, and what the model writes", async () => {
    const { page, errors } = await openPlay(host, `#${QUICK}&steps=400&mask=off`);
    await waitForStep(page, 400);
    expect(await lossNow(page)).toBeLessThan(FLOOR);
    await expect(section(page).locator(".insight").textContent()).resolves.toContain("copies the character");
    const rows = await section(page).locator(".losses td").allTextContents();
    const [asTrained, leftOnly, floor, guess] = rows.map(Number);
    expect(floor).toBe(0.5146);
    expect(asTrained).toBeLessThan(floor);
    expect(leftOnly).toBeGreaterThan(guess);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("the switch changes the mask of a run in training, and the link holds its position", async () => {
    const { page, errors } = await openPlay(host, `#${QUICK}&steps=4000`);
    await section(page).locator(".curve.on").waitFor();
    await chooseMask(page, "off");
    await section(page).locator(".curve.off").waitFor();
    await chooseMask(page, "shifted");
    await section(page).locator(".curve.shifted").waitFor();
    expect(page.url()).toContain("mask=shifted");
    await chooseMask(page, "on");
    expect(page.url()).not.toContain("mask=");
    await section(page).getByText("the loss rose from").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  test("pause, one step, train and start over", async () => {
    const { page, errors } = await openPlay(host, `#${QUICK}&steps=100000`);
    await section(page).locator(".curve.on").waitFor();
    await section(page).getByRole("button", { name: "Pause" }).click();
    await section(page).getByRole("button", { name: "Train" }).waitFor();
    const stepsDone = async () =>
      Number(
        /step ([\d,]+)/
          .exec((await section(page).locator(".mono").first().textContent()) ?? "")?.[1]
          .replace(",", ""),
      );
    const paused = await stepsDone();
    await section(page).getByRole("button", { name: "One step" }).click();
    await section(page)
      .getByText(`step ${(paused + 1).toLocaleString("en-US")} of`)
      .waitFor();
    await section(page).getByText("Settings", { exact: true }).click();
    await section(page).getByLabel("steps", { exact: true }).fill("7");
    await section(page).getByRole("button", { name: "Start over with these" }).click();
    await waitForStep(page, 7);
    expect(page.url()).toContain("steps=7");
    expect(errors).toEqual([]);
    await page.close();
  });

  test("a link with settings that do not fit is refused with a reason, and can be fixed", async () => {
    const { page, errors } = await openPlay(host, "#dModel=33&steps=5");
    await section(page).getByRole("alert").getByText("multiple of").waitFor();
    await section(page).getByText("Settings", { exact: true }).click();
    await section(page).getByLabel("channels").fill("32");
    await section(page).getByRole("button", { name: "Start over with these" }).click();
    await waitForStep(page, 5);
    expect(await section(page).getByRole("alert").count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  test("training stops while the page is hidden, and continues when it is shown; a pause stays one", async () => {
    const { page, errors } = await openPlay(host, `#${QUICK}&steps=100000`);
    await section(page).locator(".curve.on").waitFor();
    const show = (hidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, "hidden", { configurable: true, value: ${hidden} });
        document.dispatchEvent(new Event("visibilitychange"));`,
      );
    const button = (name: string) => section(page).getByRole("button", { name });
    await show(true);
    await button("Train").waitFor();
    await show(false);
    await button("Pause").click();
    await button("Train").waitFor();
    await show(true);
    await show(false);
    // The engine answers in order, so a start would be answered before this step.
    await button("One step").click();
    await button("Train").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });
});
