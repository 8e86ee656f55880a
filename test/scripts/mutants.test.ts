/** Every mutant can be made, and names tests that exist; whether they notice, `npm run mutants` finds out. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MUTANTS } from "../../scripts/mutants/list.ts";

const at = (path: string) => new URL(`../../${path}`, import.meta.url);

test.each(MUTANTS)("$promise", ({ file, line, broken, tests }) => {
  expect(existsSync(at(file)), `${file} is there`).toBe(true);
  const pieces = readFileSync(at(file), "utf8").split(line);
  expect(pieces.length - 1, `how often ${file} holds ${line}`).toBe(1);
  expect(broken).not.toBe(line);
  expect(tests.length).toBeGreaterThan(0);
  for (const path of tests) expect(existsSync(at(path)), `${path} is there`).toBe(true);
});

test("no two mutants make the same break", () => {
  const breaks = MUTANTS.map(({ file, line, broken }) => `${file}\n${line}\n${broken}`);
  expect(new Set(breaks).size).toBe(breaks.length);
});
