/**
 * The static site in a real browser, on a host that sends no headers: it isolates itself, works offline, follows new
 * builds, and does without a service worker if it must. Without Chromium, these tests are skipped.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildSite } from "../../scripts/site.ts";
import { ASSETS } from "../../src/play/assets.ts";
import { HEADERS } from "../../src/play/headers.ts";
import { hasChromium, type Served, serve, startChromium } from "../support/browser.ts";
import { PATIENCE_MS, showUntil } from "../support/play-page.ts";
import { makeFolder, START_MS } from "../support/program.ts";

/** Not the root of the host, as on the pages of a project. */
const SUBPATH = "nopeek";
const root = makeFolder();
const folder = join(root, SUBPATH);
/** Loading may take long on a busy machine; what never happens must fail though. */
const WAIT = { timeout: PATIENCE_MS };

let browser: Browser;
/** The name of the build. */
let build: string;
beforeAll(async () => {
  build = await buildSite(folder);
  if (hasChromium) browser = await startChromium();
}, START_MS);
afterAll(() => browser?.close());

// A busy machine can make the browser wait longer than any limit here for a service worker; not twice in a row.
describe.skipIf(!hasChromium)("the static site (no Chromium: skipped)", { retry: 1 }, () => {
  let host: Served;
  let context: BrowserContext;
  let complaints: string[];
  beforeEach(async () => {
    host = await serve(root, {});
    context = await browser.newContext();
    complaints = [];
  });
  afterEach(async () => {
    await context.close();
    await host.close();
    await buildSite(folder);
  });

  /**
   * Opens the page and waits until it has loaded this many times, without running a script in it: Chromium takes that
   * for the action of a person, after which the page does not load again.
   */
  async function open({ loads = 1, settings = "" } = {}): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    const hasLoaded = loadsOf(page);
    await page.goto(`${host.url}${SUBPATH}/${settings}`);
    await hasLoaded(loads);
    return page;
  }

  /** Counts how often the page loads from now on, and waits for a number. */
  function loadsOf(page: Page): (expected: number) => Promise<void> {
    let loaded = 0;
    page.on("load", () => loaded++);
    return (expected) => expect.poll(() => loaded, { ...WAIT, message: "loads" }).toBe(expected);
  }

  /** Waits until an expression is true in the page. */
  const until = (page: Page, expression: string) =>
    expect.poll(() => page.evaluate(expression), { ...WAIT, message: expression }).toBe(true);

  /** Waits until the engine says what it computes with. */
  async function statusOf(page: Page): Promise<string> {
    await until(page, "/thread/.test(document.getElementById('status').textContent)");
    return (await page.locator("#status").textContent()) ?? "";
  }
  const isIsolated = (page: Page) => page.evaluate("crossOriginIsolated");
  const hasTrained = (page: Page) =>
    until(page, "/step [1-9]/.test(document.getElementById('train').textContent)");
  /** How often a file of the first build was asked for. */
  const countOf = (path: string) =>
    host.requests.filter((each) => each === `/${SUBPATH}/${build}/${path}`).length;
  const headingOf = (page: Page) => page.locator("h1").textContent();
  /** Another build, with another heading. */
  const rebuild = (heading: string) =>
    buildSite(folder, (page) => page.replace("<h1>nopeek play</h1>", `<h1>${heading}</h1>`));
  const cacheOf = (name: string) => `nopeek ${host.url}${SUBPATH}/ build ${name}`;
  /** Waits until all of a build was fetched. */
  const hasFetched = (page: Page, name: string) =>
    until(
      page,
      `navigator.serviceWorker.getRegistration().then(async ({ installing }) =>
        installing === null && (await caches.keys()).includes("${cacheOf(name)}"))`,
    );

  test("isolates itself by one reload, keeps the settings of the link, and works with the host gone", async () => {
    const page = await open({ loads: 2, settings: "?threads=2#seed=7" });
    expect(await isIsolated(page)).toBe(true);
    expect(await statusOf(page)).toContain("wasm · 2 threads");
    expect(page.url()).toBe(`${host.url}${SUBPATH}/?threads=2#seed=7`);
    await hasTrained(page);

    await host.close();
    await page.reload();
    expect(await isIsolated(page)).toBe(true);
    expect(await statusOf(page)).toContain("wasm · 2 threads");
    // The first visit fetched the tales, but not the shipped model.
    await hasTrained(page);
    await page.locator("select", { hasText: "the shipped one" }).selectOption("shipped");
    const leaks = page.locator("#leaks");
    await showUntil(leaks, leaks.getByText("could not be fetched. Check the connection"));
    expect(complaints).toEqual([]);
  });

  test("its answers have the headers of `nopeek play`, and the right types, whatever the host sends", async () => {
    const page = await open({ loads: 2 });
    const headersOf = (paths: string[]) =>
      Promise.all(paths.map(async (path) => Array.from((await fetch(path)).headers)));
    const assets = ASSETS.filter(({ path }) => !path.startsWith("model/"));
    const answers = await page.evaluate(
      headersOf,
      assets.map(({ path }) => (path === "" ? "./" : `${build}/${path}`)),
    );
    for (const [i, { path, type }] of assets.entries()) {
      expect(Object.fromEntries(answers[i]), path).toMatchObject({ ...HEADERS, "content-type": type });
    }
  });

  test("fetches nothing before a section needs it, and nothing again that it keeps", async () => {
    const page = await open({ loads: 2 });
    await hasTrained(page);
    expect(countOf("tales.txt")).toBeGreaterThan(0);
    expect(countOf("model/step-005800/model.safetensors")).toBe(0);
    const before = host.requests.length;
    await page.reload();
    await hasTrained(page);
    const isCheck = (path: string) => path === `/${SUBPATH}/service-worker.js`;
    expect(host.requests.slice(before).filter((path) => !isCheck(path))).toEqual([]);
  });

  test("a new build replaces the old one, and files of the one before the last are removed", async () => {
    await (await open({ loads: 2 })).close();
    const names = [build];
    for (const heading of ["second build", "third build"]) {
      const before = await open();
      const name = await rebuild(heading);
      await before.reload();
      await hasFetched(before, name);
      // When the last page is closed, the new build takes over soon.
      await before.close();
      let page = await open();
      for (let tries = 0; tries < 20 && (await headingOf(page)) !== heading; tries++) {
        await page.close();
        page = await open();
      }
      expect(await headingOf(page)).toBe(heading);
      expect(await isIsolated(page)).toBe(true);
      await hasTrained(page);
      await page.close();
      names.push(name);
    }
    const page = await open();
    const kept = await page.evaluate(
      "caches.keys().then((names) => names.filter((name) => / build /.test(name)))",
    );
    expect(kept).toEqual(names.slice(1).map(cacheOf));
    await host.close();
    await page.reload();
    expect(await headingOf(page)).toBe("third build");
    await hasTrained(page);
    expect(complaints).toEqual([]);
  });

  test("a page stays whole while builds change", async () => {
    const page = await open({ loads: 2 });
    await hasTrained(page);
    for (const heading of ["second build", "third build", "fourth build"]) {
      const name = await rebuild(heading);
      for (let visit = 0; visit < 2; visit++) {
        await page.reload();
        await hasTrained(page);
        expect(await isIsolated(page)).toBe(true);
      }
      await hasFetched(page, name);
    }
    expect(complaints).toEqual([]);
  });

  test("does not load again after a person did something", async () => {
    const page = await context.newPage();
    let loaded = 0;
    page.on("load", () => loaded++);
    // On a fast machine the service worker would be there before the click.
    await page.addInitScript(`
      const { register } = ServiceWorkerContainer.prototype;
      ServiceWorkerContainer.prototype.register = async function (...given) {
        while (!navigator.userActivation.hasBeenActive) await new Promise((done) => setTimeout(done, 10));
        return register.apply(this, given);
      };`);
    await page.goto(`${host.url}${SUBPATH}/`);
    await page.mouse.click(5, 5);
    await until(page, "navigator.serviceWorker.controller !== null");
    await pause(300);
    expect(loaded).toBe(1);
    expect(await isIsolated(page)).toBe(false);
  });

  test("is not installed from a page of another build, and works", async () => {
    const page = readFileSync(join(folder, "index.html"), "utf8");
    const script = readFileSync(join(folder, "service-worker.js"), "utf8");
    writeFileSync(join(folder, "service-worker.js"), script.replaceAll(build, "0123456789abcdef"));
    cpSync(join(folder, build), join(folder, "0123456789abcdef"), { recursive: true });
    expect(page).toContain(build);
    const visit = await open();
    await expect.poll(() => host.requests.filter((path) => path === `/${SUBPATH}/`).length, WAIT).toBe(2);
    expect(await statusOf(visit)).toContain("wasm");
    await until(visit, "navigator.serviceWorker.getRegistration().then((it) => !it?.installing)");
    expect(await visit.evaluate("navigator.serviceWorker.controller")).toBeNull();
  });

  test("without service workers it trains on one thread, and says why", async () => {
    await context.close();
    context = await browser.newContext({ serviceWorkers: "block" });
    const page = await open({ settings: "?threads=2" });
    expect(await statusOf(page)).toMatch(/1 thread \(.*not isolated/);
    await hasTrained(page);
    expect(await isIsolated(page)).toBe(false);
  });
});
