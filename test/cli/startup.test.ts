/** The program starts with few open files: it is built into one file. */
import { existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { MAIN, makeFolder, Program } from "../support/program.ts";

const folder = makeFolder();

test("the program is one file", () => {
  expect(readdirSync(dirname(MAIN)).sort()).toEqual(["main.js", "main.js.map"]);
});

test("it samples, on two threads too, where few files may be open", async (test) => {
  test.skip(!existsSync("/bin/sh") || process.platform !== "linux", "needs a shell with ulimit -n");
  for (const threads of [1, 2]) {
    const command = `ulimit -n 40; exec ${process.execPath} ${MAIN} sample --tokens 2 --threads ${threads}`;
    const { code, stderr } = await new Program("/bin/sh", ["-c", command], folder).outcome;
    expect(stderr).not.toContain("EMFILE");
    expect(code, stderr).toBe(0);
  }
});

test("where addresses are limited, a backend works, and an error of the default names it", async (test) => {
  test.skip(!existsSync("/bin/sh") || process.platform !== "linux", "needs a shell with ulimit -v");
  const limited = (words: string) =>
    new Program("/bin/sh", ["-c", `ulimit -v 6000000; exec ${process.execPath} ${MAIN} ${words}`], folder);
  const wasm = await limited("sample --tokens 2").outcome;
  // Newer versions of Node run WebAssembly without reserving addresses.
  if (process.versions.node.startsWith("20.")) expect(wasm.code, wasm.stderr).toBe(1);
  if (wasm.code !== 0) expect(wasm.stderr).toContain("--backend reference needs none");
  const { code, stderr } = await limited("sample --tokens 2 --backend reference").outcome;
  expect(code, stderr).toBe(0);
});
