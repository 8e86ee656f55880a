/** The library for browsers: it needs no Node, and is small. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";
import * as browser from "../../src/browser.ts";
import * as node from "../../src/index.ts";
import { root } from "../support/pages.ts";

it("bundles without Node's modules, in at most 75 KB", async () => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/browser.ts"],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    write: false,
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(imported).toEqual([]);
  expect(outputFiles[0].text).not.toMatch(/["']node:/);
  expect(gzipSync(outputFiles[0].contents, { level: 9 }).length).toBeLessThanOrEqual(75_000);
});

/** What needs Node, or its files. */
const ONLY_IN_NODE = [
  "BACKEND_NAMES",
  "SHIPPED_MODEL_PATH",
  "TokenFile",
  "TrainedGPT",
  "openDoubleBackend",
  "trainGPT",
  "writeTokens",
];

it("exports what the library for Node exports, but for what needs Node", () => {
  const missing = Object.keys(node).filter((name) => !Object.hasOwn(browser, name));
  expect(missing.sort()).toEqual(ONLY_IN_NODE);
});
