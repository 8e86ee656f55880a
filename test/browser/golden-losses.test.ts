/**
 * The golden run in Chromium has the bits of Node, on every backend, isolated or not, and what a browser lacks is said
 * as a sentence. Needs Chromium, from the system or CHROME_PATH; without it, these tests are skipped.
 */
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GOLDEN_LOSSES_PATH } from "../../scripts/golden/losses.ts";
import { goldenRun } from "../../scripts/golden/run.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { hasChromium, ISOLATED, serve, startChromium } from "../support/browser.ts";
import { makeFolder, START_MS } from "../support/program.ts";
import { bundleEngine } from "./bundle.ts";
import type { Result, Task } from "./engine.ts";

const { fused: golden } = JSON.parse(readFileSync(GOLDEN_LOSSES_PATH, "utf8"));
const PLACES = { kernels: "kernels.wasm", worker: "threads.js" };
const wasm = (threads: number): Task => ({ backend: "wasm", threads, options: PLACES });
const reference: Task = { backend: "reference", threads: 1 };
const folder = makeFolder();

declare const performInWorker: (task: Task, search?: string) => Promise<Result>;
declare const perform: (task: Task) => Promise<Result>;

/** Serves the engine and opens its page. */
async function withPage(
  browser: Browser,
  body: (page: Page) => Promise<void>,
  headers: Readonly<Record<string, string>> = ISOLATED,
  types: Readonly<Record<string, string>> = {},
): Promise<void> {
  const server = await serve(folder, headers, types);
  const page = await browser.newPage();
  try {
    await page.goto(server.url);
    await page.waitForFunction(() => "performInWorker" in globalThis);
    await body(page);
  } finally {
    await page.close();
    await server.close();
  }
}

const inWorker = (page: Page, task: Task, search?: string) =>
  page.evaluate(([task, search]) => performInWorker(task, search), [task, search] as const);

const failure = (result: Promise<Result>) =>
  result.then(
    ({ losses }) => `no failure, but ${losses.length} losses`,
    (error) => String(error),
  );

/** As strict as can be. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

describe.skipIf(!hasChromium)("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    await bundleEngine(folder);
    browser = await startChromium();
  }, START_MS);
  afterAll(() => browser?.close());

  it.each([1, 2])(
    "wasm on %i threads has the golden losses, to the bit, in a page that forbids eval",
    async (threads) => {
      const headers = { ...ISOLATED, "Content-Security-Policy": POLICY };
      const train = async (page: Page) => {
        expect(await inWorker(page, wasm(threads))).toEqual({
          losses: golden,
          threads,
          why: null,
          violations: [],
        });
      };
      await withPage(browser, train, headers);
    },
  );

  it("reference has Node's losses to the bit, also without WebAssembly, where wasm names it", async () => {
    const losses = await goldenRun(new ReferenceBackend(), "fused");
    await withPage(browser, async (page) => {
      expect(await inWorker(page, reference)).toMatchObject({ losses, threads: 1, why: null });
      const { losses: same } = await inWorker(page, { ...reference, steps: 2 }, "?no-wasm");
      expect(same).toEqual(losses.slice(0, 2));
      expect(await failure(inWorker(page, wasm(1), "?no-wasm"))).toMatch(
        /this browser has no WebAssembly; `backend` reference works/,
      );
    });
  });

  it("a page that is not isolated gets one thread and the reason", async () => {
    await withPage(
      browser,
      async (page) => {
        const { losses, threads, why } = await inWorker(page, wasm(2));
        expect(losses).toEqual(golden);
        expect(threads).toBe(1);
        expect(why).toMatch(/not isolated: .*Cross-Origin-Opener-Policy/);
      },
      {},
    );
  });

  it("kernels of an unexpected type still compile; missing ones, or another file, are named", async () => {
    const types = { ".wasm": "application/octet-stream" };
    await withPage(
      browser,
      async (page) => {
        expect((await inWorker(page, wasm(1))).losses).toEqual(golden);
        const from = (kernels: string): Task => ({ ...wasm(1), options: { ...PLACES, kernels } });
        expect(await failure(inWorker(page, from("no.wasm")))).toMatch(/no\.wasm.* the server answers 404/);
        expect(await failure(inWorker(page, from("index.html")))).toMatch(/index\.html.* does not compile/);
        const lost = { ...wasm(2), options: { ...PLACES, worker: "no.js" } };
        expect(await failure(inWorker(page, lost))).toMatch(/a thread did not start: .*no\.js.*`threads` 1/);
      },
      ISOLATED,
      types,
    );
  });

  it("a browser that grants less memory gets as much as it grants", async () => {
    await withPage(browser, async (page) => {
      const pages = 2 ** 29 / 65536;
      expect((await inWorker(page, { ...wasm(2), mostPages: pages })).losses).toEqual(golden);
      expect(await failure(inWorker(page, { ...wasm(1), mostPages: pages - 1 }))).toContain(
        "does not reserve 0.5 GiB",
      );
      const small = { ...wasm(1), options: { ...PLACES, maximumBytes: 2 ** 20 } };
      expect(await failure(inWorker(page, small))).toMatch(/cannot allocate .* memory may grow to 1048576/);
    });
  });

  it("the main thread may compute alone, and not wait for others", async () => {
    await withPage(browser, async (page) => {
      expect((await page.evaluate((task) => perform(task), wasm(1))).losses).toEqual(golden);
      expect(await failure(page.evaluate((task) => perform(task), wasm(2)))).toContain(
        "must be opened in a worker",
      );
    });
  });

  it("a browser without SIMD names reference", async () => {
    const old = await startChromium(["--js-flags=--no-enable-sse4-1"]);
    try {
      await withPage(old, async (page) => {
        // On processors other than x86 the flag changes nothing.
        const { arch } = process;
        if (arch === "x64")
          expect(await failure(inWorker(page, wasm(1)))).toMatch(/no 128-bit SIMD; `backend` reference/);
        expect((await inWorker(page, { ...reference, steps: 1 })).losses).toHaveLength(1);
      });
    } finally {
      await old.close();
    }
  });
});
