/** How large the page of `nopeek play` is, what it asks for, and when. Sizes and times are printed. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ASSETS, type AssetGroup } from "../../src/play/assets.ts";
import { hasChromium } from "../support/browser.ts";
import { openPlay, PATIENCE_MS, type PlayHost, playHost, showUntil } from "../support/play-page.ts";
import { START_MS } from "../support/program.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const KILOBYTE = 1000;
const PATIENCE = { timeout: PATIENCE_MS };

/** Compressed as a server does it; in kilobytes. */
function sizeOf(file: string): number {
  return gzipSync(readFileSync(root + file), { level: 9 }).length / KILOBYTE;
}

test.each([
  ["shell", 40],
  ["engine", 75],
  ["kernels", 25],
] as const)("the %s has at most %i KB, compressed", (group: AssetGroup, most) => {
  const files = ASSETS.filter((asset) => asset.group === group).map(({ file }) => file);
  const sizes = files.map((file) => `${file} ${sizeOf(file).toFixed(1)}`);
  const total = files.reduce((sum, file) => sum + sizeOf(file), 0);
  console.info(`${group}: ${total.toFixed(1)} of ${most} KB: ${sizes.join(", ")}`);
  expect(total, sizes.join(", ")).toBeLessThanOrEqual(most);
});

test("no script has a module of Node, or a comment that leads elsewhere", () => {
  for (const { file } of ASSETS.filter(({ path }) => path.endsWith(".js"))) {
    const script = readFileSync(root + file, "utf8");
    expect(script, file).not.toMatch(/["']node:|\brequire\(/);
    expect(script, file).not.toContain("sourceMappingURL");
  }
});

test("the licenses of all that is bundled come with the page", () => {
  const text = readFileSync(`${root}dist/play/licenses.txt`, "utf8");
  const names = [...text.matchAll(/^([@\w-][^\s:]*(?:, [^\s:]+)*):$/gm)].flatMap(([, list]) =>
    list.split(", "),
  );
  for (const name of ["nopeek", "lit-html", "zod", "seedrandom", "@noble/hashes", "fflate"])
    expect(names, name).toContain(name);
});

describe.skipIf(!hasChromium)("in a browser (no Chromium: skipped)", () => {
  let host: PlayHost;
  beforeAll(async () => {
    host = await playHost();
  }, START_MS);
  afterAll(() => host.close());

  test("it asks for each file once, and for none before it needs it", async () => {
    const page = await host.browser.newPage();
    const asked: string[] = [];
    await page.addInitScript(MOMENTS);
    page.on("request", (request) => asked.push(request.url().slice(host.url.length)));
    await page.goto(`${host.url}?threads=1`);
    await page.locator("#status", { hasText: "thread" }).waitFor();
    await expect.poll(() => page.locator("#train").textContent(), PATIENCE).toMatch(/step [1-9]/);
    const paths = asked.map((path) => path.replace(/\?.*$/, ""));
    const needed = ASSETS.filter(({ path, group }) => {
      if (group === "on demand") return path.startsWith("tales.");
      // Headless Chromium shows no icon, and one thread needs no others.
      return group !== "later" && path !== "icon.svg" && path !== "thread.js";
    });
    const later = ASSETS.filter(({ group }) => group === "later").map(({ path }) => path);
    const atOnce = paths.filter((path) => path !== "icon.svg" && !later.includes(path));
    expect(atOnce.sort()).toEqual(needed.map(({ path }) => path).sort());
    expect(new Set(paths).size).toBe(paths.length);
    const [shown, ready, training] = await page.evaluate<number[]>("window.moments");
    console.info(`shown after ${shown} ms, ready after ${ready} ms, training after ${training} ms`);

    await page.locator("select", { hasText: "the shipped one" }).selectOption("shipped");
    await showUntil(page.locator("#leaks"), page.locator("#leaks .body > *").first());
    await expect.poll(() => asked, PATIENCE).toContain("model/step-005800/model.safetensors");
    await page.close();
  });

  test("it draws while it trains", async () => {
    const { page } = await openPlay(host, "#steps=100000");
    await expect.poll(() => page.locator("#train").textContent(), PATIENCE).toMatch(/step [1-9]/);
    const steps = async () =>
      Number(
        /step ([\d,]+)/.exec((await page.locator("#train").textContent()) ?? "")?.[1].replaceAll(",", ""),
      );
    const before = await steps();
    const gaps = await page.evaluate<number[]>(FRAMES);
    const trained = (await steps()) - before;
    const at = (share: number) => [...gaps].sort((a, b) => a - b)[Math.floor(share * gaps.length)];
    console.info(
      `frames while training ${trained} steps: median ${at(0.5).toFixed(1)} ms, 95% within ${at(0.95).toFixed(1)} ms`,
    );
    // A page that computes itself draws no frame during a step; how fast the others are depends on the machine.
    expect(trained).toBeGreaterThan(0);
    expect(gaps.length).toBeGreaterThan(trained / 100);
    await page.close();
  });
});

/** When the page is parsed, its engine answers, and the first steps are done, in milliseconds after it was asked for. */
const MOMENTS = `
  window.moments = [];
  const moment = (at, when) => { window.moments[at] ??= when() ? Math.round(performance.now()) : undefined; };
  document.addEventListener("DOMContentLoaded", () => {
    moment(0, () => true);
    new MutationObserver(() => {
      moment(1, () => /thread/.test(document.getElementById("status").textContent));
      moment(2, () => /step [1-9]/.test(document.getElementById("train").textContent));
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
`;

/** The times between 200 frames, in milliseconds. */
const FRAMES = `new Promise((resolve) => {
  const times = [];
  const frame = (time) => {
    times.push(time);
    if (times.length <= 200) requestAnimationFrame(frame);
    else resolve(times.slice(1).map((each, i) => each - times[i]));
  };
  requestAnimationFrame(frame);
})`;
