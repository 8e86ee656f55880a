/**
 * Checks that every mutant can be applied and names existing tests. `npm run mutants` checks whether the tests catch
 * it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { MUTANTS } from "../../scripts/mutants/list.ts";

const at = (path: string) => new URL(`../../${path}`, import.meta.url);

test.each(MUTANTS)("$promise", ({ file, line, broken, tests }) => {
  expect(existsSync(at(file)), `${file} exists`).toBe(true);
  const pieces = readFileSync(at(file), "utf8").split(line);
  expect(pieces.length - 1, `occurrences of ${line} in ${file}`).toBe(1);
  expect(broken).not.toBe(line);
  expect(tests.length).toBeGreaterThan(0);
  for (const path of tests) expect(existsSync(at(path)), `${path} exists`).toBe(true);
});

test("no two mutants are the same", () => {
  const breaks = MUTANTS.map(({ file, line, broken }) => `${file}\n${line}\n${broken}`);
  expect(new Set(breaks).size).toBe(breaks.length);
});

test("a word that no mutant contains is an error", () => {
  const words = ["--import", "tsx", "scripts/mutants.ts", "no such promise"];
  const { status, stderr } = spawnSync(process.execPath, words, {
    cwd: fileURLToPath(at(".")),
    encoding: "utf8",
    timeout: 50_000,
  });
  expect(stderr).toBe('no mutant has "no such promise" in its promise or its file: see scripts/mutants/\n');
  expect(status).toBe(1);
});
