/**
 * The whole page of `nopeek play` for people who see, point or move otherwise: axe in light, dark and forced colors, 320
 * pixels of width, the keyboard alone. Without Chromium, these tests are skipped.
 */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../support/browser.ts";
import { openPlay, PATIENCE_MS, type PlayHost, playHost } from "../support/play-page.ts";
import { START_MS } from "../support/program.ts";

/** A run that ends soon, so that nothing changes while the page is checked. */
const SHORT = "#layers=1&heads=2&dModel=8&contextLength=16&batchSize=2&steps=20";
const PATIENCE = { timeout: PATIENCE_MS };

let host: PlayHost;
beforeAll(async () => {
  if (hasChromium) host = await playHost();
}, START_MS);
afterAll(() => host?.close());

/** Opens the page, looks at every section so that it computes what it shows, and opens what is folded. */
async function openWhole(options: Parameters<typeof openPlay>[2]) {
  const opened = await openPlay(host, SHORT, options);
  const { page } = opened;
  await expect.poll(() => page.locator("#train").textContent(), PATIENCE).toContain("step 20 of 20");
  for (const section of await page.locator("main > section").all()) {
    await section.scrollIntoViewIfNeeded();
    await expect.poll(() => section.locator(".body > *").count(), PATIENCE).toBeGreaterThan(0);
    await expect.poll(() => section.locator(".body").textContent(), PATIENCE).not.toMatch(/^\s*$|…\s*$/);
  }
  await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
  // What is drawn late moves what is below it.
  let height = 0;
  const isStill = async () => {
    const before = height;
    height = Number(await page.evaluate("document.documentElement.scrollHeight"));
    return height === before;
  };
  await expect.poll(isStill, { ...PATIENCE, interval: 500 }).toBe(true);
  return opened;
}

const VIOLATIONS = `axe.run().then(({ violations }) => violations.map(({ id, nodes }) =>
  id + ": " + nodes.map(({ html, failureSummary }) => html + " " + failureSummary).join("\\n")))`;

describe.skipIf(!hasChromium)("the page (no Chromium: skipped)", () => {
  test.each([1280, 320])("at %i pixels, axe finds nothing, in any colors", async (width) => {
    const { page, errors } = await openWhole({ viewport: { width, height: 900 } });
    await page.evaluate(axe.source);
    for (const forcedColors of ["none", "active"] as const) {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, forcedColors });
        const found = await page.evaluate(VIOLATIONS);
        expect(found, `${colorScheme}, forced colors: ${forcedColors}`).toEqual([]);
      }
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  test("at no width does it scroll sideways", async () => {
    const { page } = await openWhole({ viewport: { width: 1024, height: 700 } });
    for (const width of [1024, 768, 600, 480, 375, 320]) {
      await page.setViewportSize({ width, height: 700 });
      await expect.poll(() => page.evaluate(WIDER), { message: `${width} pixels`, ...PATIENCE }).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), `${width}`).toBe(0);
    }
    await page.close();
  });

  test.each([1280, 320])(
    "at %i pixels, Tab reaches every control, visibly, and leaves the page",
    async (width) => {
      const { page } = await openWhole({ viewport: { width, height: 700 } });
      await page.evaluate("scrollTo(0, 0); document.activeElement.blur()");
      const controls = Number(await page.evaluate(MARK_CONTROLS));
      expect(controls).toBeGreaterThan(15);
      const problems: string[] = [];
      const reached = new Set<string>();
      for (let tabs = 0; tabs < 3 * controls; tabs++) {
        await page.keyboard.press("Tab");
        let { mark, problem } = await focusOf(page);
        // A busy machine scrolls late.
        for (let wait = 0; problem !== null && wait < 20; wait++) {
          await page.waitForTimeout(50);
          ({ mark, problem } = await focusOf(page));
        }
        if (mark === null) break;
        if (problem !== null) problems.push(problem);
        // A Tab that returns to where it was means that the end was passed, or that it cannot leave.
        if (reached.has(mark)) break;
        reached.add(mark);
      }
      expect(problems).toEqual([]);
      const missed = await page.evaluate(
        `[...document.querySelectorAll("[data-control]")].filter((each) => !${JSON.stringify([...reached])}.includes(each.dataset.control)).map((each) => each.outerHTML.slice(0, 120))`,
      );
      expect(missed).toEqual([]);
      await page.close();
    },
  );

  test("the arrow keys move the mask switch", async () => {
    const { page } = await openPlay(host, SHORT);
    await page.locator("input[name=mask][value=on]").focus();
    for (const mask of ["off", "shifted", "on"]) {
      await page.keyboard.press("ArrowRight");
      expect(await page.locator("input[name=mask]:checked").getAttribute("value")).toBe(mask);
    }
    await page.close();
  });

  test("nothing moves for those who asked for that", async () => {
    const { page } = await openWhole({ reducedMotion: "reduce" });
    expect(await page.evaluate("document.getAnimations().length")).toBe(0);
    expect(await page.evaluate("getComputedStyle(document.documentElement).scrollBehavior")).toBe("auto");
    await page.close();
  });
});

/** Elements that make the page wider than the window, unless something around them scrolls. */
const WIDER = `[...document.querySelectorAll("body *")].filter((each) => {
  if (each.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let around = each.parentElement; around !== null; around = around.parentElement)
    if (getComputedStyle(around).overflowX !== "visible") return false;
  return getComputedStyle(each).position !== "fixed";
}).map((each) => each.outerHTML.slice(0, 120))`;

/** Numbers the controls that Tab should reach; of radio buttons of one name, only the checked one counts. */
const MARK_CONTROLS = `(() => {
  const query = "a[href], button, input, select, textarea, summary, [tabindex]";
  const controls = [...document.querySelectorAll(query)].filter((each) => {
    if (each.tabIndex < 0 || each.disabled || !each.checkVisibility({ visibilityProperty: true })) return false;
    return each.type !== "radio" || each.checked;
  });
  controls.forEach((each, i) => { each.dataset.control = String(i); });
  return controls.length;
})()`;

/** The control that has the focus, and what is wrong with how it shows that. */
const FOCUS = `(() => {
  const control = document.activeElement;
  if (control === null || control === document.body) return { mark: null, problem: null };
  const mark = control.dataset.control ?? control.outerHTML;
  const name = control.outerHTML.slice(0, 120);
  const drawn = [control, control.nextElementSibling, control.closest("label")];
  const outlined = drawn.some((each) => {
    if (each === null) return false;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(each);
    return (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2) || boxShadow !== "none";
  });
  if (!outlined) return { mark, problem: "no outline: " + name };
  const { left, top, right, bottom, width, height } = control.getBoundingClientRect();
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const isSeen = width > 0 && height > 0 && bottom > 0 && top < innerHeight;
  if (!isSeen) return { mark, problem: "out of view: " + name };
  const bar = document.getElementById("bar");
  const covered = bar.contains(document.elementFromPoint(x, y)) && !bar.contains(control);
  return { mark, problem: covered ? "behind the bar: " + name : null };
})()`;

interface Focus {
  /** null if no control has the focus. */
  readonly mark: string | null;
  readonly problem: string | null;
}

function focusOf(page: Page): Promise<Focus> {
  return page.evaluate<Focus>(FOCUS);
}
