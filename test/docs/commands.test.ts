/** The command lines in the docs name commands, flags, scripts and files that exist. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { commandsIn, PAGES, readPage, root, type ShownCommand } from "../support/pages.ts";
import { MAIN, makeFolder, Program, START_MS } from "../support/program.ts";

const folder = makeFolder();

/** Flags of each command, as its `--help` lists them. */
const flags = new Map<string, ReadonlySet<string>>();
const LESSONS = ["lesson leakage", "lesson mask"];

async function help(...words: readonly string[]): Promise<string> {
  const { stdout, code } = await new Program(process.execPath, [MAIN, ...words, "--help"], folder).outcome;
  expect(code).toBe(0);
  return stdout;
}

beforeAll(async () => {
  const names = [...(await help()).matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)].map(([, name]) => name);
  for (const command of [...names.filter((name) => name !== "help"), ...LESSONS]) {
    const listed = (await help(...command.split(" "))).matchAll(/^ {2}(?:-\w, )?(--[a-z0-9-]+)/gm);
    flags.set(command, new Set(Array.from(listed, ([, flag]) => flag)));
  }
}, START_MS);

/** What is wrong with a command line, or null. */
function mistakeIn(line: string): string | null {
  const words = line.replaceAll(/"[^"]*"/g, "TEXT").split(/\s+/);
  const [tool, first, second = "", third = ""] = words;
  if (tool === "npm") return mistakeInScript(first, second);
  if (first === "tsx") return existsSync(join(root, second)) ? null : `there is no file ${second}`;
  if (first !== "nopeek" || /^[A-Z]+$/.test(second)) return null;
  const known = LESSONS.includes(`${second} ${third}`) ? flags.get(`${second} ${third}`) : flags.get(second);
  if (second.startsWith("--")) return ["--version", "--help"].includes(second) ? null : `no flag ${second}`;
  if (known === undefined) return `there is no command ${second}`;
  const unknown = words.filter((word) => word.startsWith("--") && !known.has(word));
  return unknown.length === 0 ? null : `${second} has no flag ${unknown.join(", ")}`;
}

function mistakeInScript(command: string, script: string): string | null {
  if (command === "test" || command === "start") return null;
  if (command !== "run") return ["ci", "install", "cit", "pack"].includes(command) ? null : `npm ${command}`;
  return Object.hasOwn(manifest.scripts, script) ? null : `there is no script ${script}`;
}

const shown: readonly ShownCommand[] = PAGES.flatMap((page) => commandsIn(page, readPage(page)));

test("every command is shown somewhere", () => {
  expect(shown.length).toBeGreaterThan(60);
  const lines = shown.map(({ line }) => line);
  for (const command of flags.keys()) {
    expect(
      lines.some((line) => line.startsWith(`npx nopeek ${command}`)),
      command,
    ).toBe(true);
  }
});

test.each(PAGES)("the commands of %s exist, with their flags", (page) => {
  const mistakes = shown
    .filter((command) => command.page === page)
    .flatMap(({ line }) => mistakeIn(line) ?? []);
  expect(mistakes).toEqual([]);
});

describe("negative controls", () => {
  test.each([
    "npx nopeek trane --data my.txt",
    "npx nopeek train --steps 5 --data-file my.txt",
    "npx nopeek lesson mask --steps 5",
    "npx tsx scripts/no-such-file.ts",
    "npm run no-such-script",
  ])("%s is a mistake", (line) => {
    expect(mistakeIn(line)).not.toBeNull();
  });

  test("commands are found behind a prompt, a pipe, a line break and in a sentence", () => {
    const text =
      "    $ npx nopeek runs # all\ncat a.txt | npx nopeek train \\\n  --data -\nUse `npm run docs` and `npx nopeek bench`.";
    expect(commandsIn("x", text).map(({ line }) => line)).toEqual([
      "npx nopeek runs",
      "npx nopeek train --data -",
      "npm run docs",
      "npx nopeek bench",
    ]);
  });
});
