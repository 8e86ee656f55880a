/** The library for browsers: it needs no Node, and is small. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";
import * as browser from "../../src/browser.ts";
import * as node from "../../src/index.ts";
import { root } from "../support/pages.ts";

it("bundles without Node's modules, in at most 94 KB", async () => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/browser.ts"],
    outdir: "bundle",
    bundle: true,
    // The reference backend is loaded only where it is opened.
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    write: false,
  });
  const needed = new Set(["bundle/browser.js"]);
  for (const file of needed)
    for (const { path, kind } of metafile.outputs[file].imports) {
      expect(metafile.outputs[path], path).toBeDefined();
      if (kind === "import-statement") needed.add(path);
    }
  const files = outputFiles.map(({ path, text, contents }) => ({
    path: path.slice(root.length).replaceAll("\\", "/").replace(/^\//, ""),
    text,
    bytes: gzipSync(contents, { level: 9 }).length,
  }));
  for (const { path, text } of files) expect(text, path).not.toMatch(/["']node:/);
  const loaded = files.filter(({ path }) => needed.has(path));
  expect(loaded).toHaveLength(needed.size);
  expect(loaded.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(94_000);
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
