/**
 * Trains the tales on the command line, then again in each installed browser, and compares the checkpoints' SHA-256.
 * Each browser opens a page that posts its result, so that no remote control is needed.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import * as z from "zod/mini";
import { stepFolderName } from "../../../src/run/checkpoint.ts";
import { readRunConfig } from "../../../src/run/on-disk.ts";
import { ISOLATED, serve } from "../../../test/support/browser.ts";
import { type InstalledBrowser, installedBrowsers } from "./installed.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const THREADS = 2;

export interface BrowserPlan {
  readonly steps: number;
  /** An empty folder to work in. */
  readonly folder: string;
  /** Default: all that are installed. */
  readonly browsers?: readonly InstalledBrowser[];
  /** After this time, a browser that has not answered is given up. */
  readonly timeoutMs: number;
}

/** A browser that computed the bits of the command line. */
export interface ProvenBrowser {
  readonly name: string;
  readonly threads: number;
}

const answer = z.union([
  z.object({ threads: z.int(), hashes: z.record(z.string(), z.string()) }),
  z.object({ error: z.string() }),
]);

/** @throws Error if a browser computes other bits, or none */
export async function proveBrowsers(plan: BrowserPlan): Promise<ProvenBrowser[]> {
  const { folder, browsers = installedBrowsers() } = plan;
  if (browsers.length === 0) return [];
  const expected = await trainInNode(plan);
  await bundlePage(folder);
  const proven: ProvenBrowser[] = [];
  for (const browser of browsers) {
    const { threads, hashes } = await runIn(browser, plan);
    for (const name of Object.keys({ ...expected, ...hashes })) {
      if (hashes[name] === expected[name]) continue;
      throw new Error(`${browser.name}: ${name} is ${hashes[name]}, and in Node ${expected[name]}`);
    }
    proven.push({ name: browser.name, threads });
  }
  return proven;
}

/** The hashes of the last checkpoint of the command line; its config stays in the folder. */
async function trainInNode({ folder, steps }: BrowserPlan): Promise<Record<string, string>> {
  const words = ["train", "--preset", "tales", "--steps", String(steps), "--threads", String(THREADS)];
  const main = join(root, "dist/cli/main.js");
  await promisify(execFile)(process.execPath, [main, ...words, "--out", "node"], { cwd: folder });
  const state = z.object({ files: z.record(z.string(), z.string()) });
  const file = join(folder, "node", stepFolderName(steps), "state.json");
  return state.parse(JSON.parse(readFileSync(file, "utf8"))).files;
}

/** The page, its worker, and what they load, in the folder `page`. */
async function bundlePage(folder: string): Promise<void> {
  const page = join(folder, "page");
  mkdirSync(page);
  const common = { bundle: true, format: "esm", platform: "browser", target: "es2022" } as const;
  const worker = `import { repeatRun } from "./engine.ts";
    repeatRun(${THREADS}).then((run) => postMessage(run), (error) => postMessage({ error: String(error) }));`;
  const resolveDir = fileURLToPath(new URL(".", import.meta.url));
  await build({ ...common, stdin: { contents: worker, resolveDir }, outfile: join(page, "worker.js") });
  const threads = join(root, "src/backend/wasm/threads/web-worker.js");
  await build({ ...common, entryPoints: [threads], outfile: join(page, "threads.js") });
  copyFileSync(join(root, "src/backend/wasm/kernels.wasm"), join(page, "kernels.wasm"));
  copyFileSync(join(root, "data/tales.txt"), join(page, "tales.txt"));
  writeFileSync(join(page, "config.json"), JSON.stringify(readRunConfig(join(folder, "node"))));
  const script = `const post = (body) => fetch("result", { method: "POST", body: JSON.stringify(body) });
    const worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => post(data);
    worker.onerror = ({ message }) => post({ error: message });`;
  writeFileSync(join(page, "index.html"), `<!doctype html><title>nopeek</title><script>${script}</script>`);
}

/** Opens the page in a browser and waits for its result. */
async function runIn(browser: InstalledBrowser, { folder, timeoutMs }: BrowserPlan) {
  const profile = join(folder, `profile-${browser.name}`);
  mkdirSync(profile);
  let receive: (body: string) => void = () => {};
  const posted = new Promise<string>((resolve) => {
    receive = resolve;
  });
  const server = await serve(join(folder, "page"), ISOLATED, {}, receive);
  const child = spawn(browser.path, browser.words(server.url, profile), { stdio: "ignore", cwd: profile });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${browser.name}: ended with code ${code}`);
  });
  const timer = new AbortController();
  const late = once(AbortSignal.timeout(timeoutMs), "abort", { signal: timer.signal }).then(() => {
    throw new Error(`${browser.name}: did not answer in ${timeoutMs / 1000} s`);
  });
  try {
    const result = answer.parse(JSON.parse(await Promise.race([posted, ended, late])));
    if ("error" in result) throw new Error(`${browser.name}: ${result.error}`);
    return result;
  } finally {
    child.kill();
    await Promise.allSettled([ended]);
    timer.abort();
    await Promise.allSettled([late]);
    await server.close();
  }
}
