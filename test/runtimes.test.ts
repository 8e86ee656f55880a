/**
 * The library computes the same bits in Bun and in Deno as in Node: it trains, samples, and uses two threads. Each
 * test needs the path of the runtime, in BUN_PATH or DENO_PATH; without it, the test is skipped.
 */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { makeFolder } from "./support/program.ts";

const library = pathToFileURL(fileURLToPath(new URL("../dist/index.js", import.meta.url))).href;
const folder = makeFolder();
const program = join(folder, "program.mjs");
const { BUN_PATH, DENO_PATH } = process.env;

writeFileSync(
  program,
  `import { Context, generateText, loadGPT, openBackend, Random, trainGPT } from ${JSON.stringify(library)};
const losses = [];
const onStep = ({ lossNats }) => losses.push(lossNats);
const trained = await trainGPT("the cat sat on the mat. ".repeat(30), { steps: 5, onStep });
const sample = await trained.sample("the", { tokens: 20 });
await trained.close();
const backend = await openBackend("wasm", 2);
const { model, tokenizer } = loadGPT(new Context(backend));
let told = "";
for await (const piece of generateText(model, tokenizer, "One ", { tokens: 30, random: Random.of(3) })) told += piece;
await backend.close();
console.log(JSON.stringify({ losses, sample, told }));
`,
);

async function outputOf(runtime: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(runtime, [...words, program], { cwd: folder });
  return stdout;
}

describe("the same program prints the same numbers and texts", () => {
  test.skipIf(BUN_PATH === undefined)("in Bun (skipped without BUN_PATH)", async () => {
    const expected = await outputOf(process.execPath);
    expect(JSON.parse(expected).losses).toHaveLength(5);
    expect(await outputOf(BUN_PATH ?? "")).toBe(expected);
  });

  test.skipIf(DENO_PATH === undefined)("in Deno (skipped without DENO_PATH)", async () => {
    expect(await outputOf(DENO_PATH ?? "", "run", "--allow-all")).toBe(await outputOf(process.execPath));
  });
});
