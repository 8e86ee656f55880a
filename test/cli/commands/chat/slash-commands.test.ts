import { describe, expect, test } from "vitest";
import {
  COMMAND_NAMES,
  helpLines,
  parseLine,
  settingsLine,
} from "../../../../src/cli/commands/chat/slash-commands.ts";
import type { SampleFlags } from "../../../../src/cli/commands/sample/flags.ts";

const flags: SampleFlags = {
  backend: "wasm",
  tokens: 500,
  strategy: "sample",
  overflow: "slide",
  seed: 1337,
  topK: 9,
  stop: ["\n"],
};
const flagsAfter = (line: string, before = flags) => {
  const request = parseLine(line, before);
  if (request.kind !== "set") throw new Error(`${line} is ${request.kind}`);
  return request.flags;
};

test.each([
  ["Once upon", "Once upon"],
  ["", ""],
  ["  indented ", "  indented "],
  ["//usr", "/usr"],
  ["a /reset", "a /reset"],
])("%j is a prompt", (line, prompt) => {
  expect(parseLine(line, flags)).toEqual({ kind: "say", prompt });
});

test.each([
  ["/quit", { kind: "quit" }],
  ["/help ", { kind: "help" }],
  ["/reset", { kind: "reset" }],
  ["/settings", { kind: "settings" }],
  ["/model my-1", { kind: "model", run: "my-1" }],
])("%s", (line, request) => {
  expect(parseLine(line, flags)).toEqual(request);
});

describe("a setting", () => {
  test.each([
    ["/temperature 0.7", { temperature: 0.7 }],
    ["/top-k 20", { topK: 20 }],
    ["/top-p 0.9", { topP: 0.9 }],
    ["/min-p 0.1", { minP: 0.1 }],
    ["/repetition-penalty 1.2", { repetitionPenalty: 1.2 }],
    ["/no-repeat-ngram 4", { noRepeatNgram: 4 }],
    ["/tokens 20", { tokens: 20 }],
    ["/seed 7", { seed: 7 }],
    ["/stop \\nYou:", { stop: ["\n", "\nYou:"] }],
    ["/stop", { stop: [] }],
  ])("%s", (line, changes) => {
    expect(flagsAfter(line)).toEqual({ ...flags, ...changes });
  });

  test("off removes a rule", () => {
    expect(flagsAfter("/top-k off").topK).toBeUndefined();
    expect(flagsAfter("/min-p off")).toEqual(flags);
  });
});

test.each([
  ["/topk 3", "did you mean /top-k?", "starts with two: //topk 3"],
  ["/te", "did you mean /temperature?", "/help"],
  ["/constructor", "there is no command /constructor", "did you mean"],
  ["/", "there is no command /", "/help"],
  ["/temperature", "/temperature is off", "needs a new value"],
  ["/top-k", "/top-k is 9", "needs a new value"],
  ["/temperature hot", "/temperature must be a number", "got hot"],
  ["/temperature off", "/temperature must be a number", "got off"],
  ["/top-k 0", "/top-k must be a whole number ≥ 1", "off to keep every token"],
  ["/seed -1", "/seed must be a whole number", "got -1"],
  ["/tokens 1.5", "/tokens must be a whole number", "got 1.5"],
  ["/stop \\d", "/stop: \\d is no escape", "\\n"],
  ["/model", "/model needs", "run"],
])("%s is refused", (line, ...told) => {
  for (const words of told) expect(() => parseLine(line, flags)).toThrow(words);
  expect(() => parseLine(line, flags)).not.toThrow(/--/);
});

test("the help names every command, in 80 columns", () => {
  const help = helpLines();
  for (const name of COMMAND_NAMES)
    expect(
      help.some((line) => line.startsWith(`  ${name}`)),
      name,
    ).toBe(true);
  for (const line of help) expect(line.length, line).toBeLessThanOrEqual(80);
});

test("the settings are shown as commands that set them", () => {
  const line = settingsLine({ ...flags, temperature: 0.7 }, 0.6);
  expect(line).toContain("/temperature 0.7  /top-k 9  /top-p off");
  let restored: SampleFlags = { ...flags, seed: 0 };
  for (const command of line.split("  ").slice(0, -1)) restored = flagsAfter(command, restored);
  expect(restored).toEqual({ ...flags, temperature: 0.7 });
});
