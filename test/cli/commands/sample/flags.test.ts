import { Command } from "commander";
import { describe, expect, it } from "vitest";
import {
  addSampleFlags,
  beamSettingsOf,
  checkSampleFlags,
  ignoredFlags,
  type SampleFlags,
  sampleSettingsOf,
} from "../../../../src/cli/commands/sample/flags.ts";
import { addCommonFlags } from "../../../../src/cli/options/settings-flags.ts";
import { explainError } from "../../../../src/cli/shared/explain-error.ts";
import { SampleError } from "../../../../src/errors.ts";

/** Parses command-line words. */
function parse(...words: readonly (string | number)[]): SampleFlags {
  const command = new Command();
  addSampleFlags(command);
  addCommonFlags(command);
  command.exitOverride().configureOutput({ writeErr: () => {} });
  return command.parse(words.map(String), { from: "user" }).opts<SampleFlags>();
}

/** The message that the command line prints for invalid flags. */
const refusal = (...words: readonly (string | number)[]) => {
  const flags = parse(...words);
  expect(() => checkSampleFlags(flags)).toThrow(SampleError);
  try {
    checkSampleFlags(flags);
  } catch (error) {
    if (error instanceof SampleError) return explainError(error);
    throw error;
  }
  return "";
};

describe("invalid flags are rejected by name", () => {
  it.each<[words: (string | number)[], message: string]>([
    [["--temperature", -1], "--temperature must be a finite number ≥ 0: got -1"],
    [["--top-k", 0], "--top-k must be a whole number ≥ 1: got 0"],
    [["--top-p", 0], "--top-p must be above 0 and at most 1: got 0"],
    [["--min-p", 1.5], "--min-p must be at least 0 and at most 1: got 1.5"],
    [["--min-p", -0.1], "--min-p must be at least 0"],
    [["--repetition-penalty", 0], "--repetition-penalty must be a finite number above 0: got 0"],
    [["--repetition-penalty", -1], "--repetition-penalty must be"],
    [["--no-repeat-ngram", 0], "--no-repeat-ngram must be a whole number ≥ 1: got 0"],
    [["--no-repeat-ngram", 0, "--strategy", "beam"], "--no-repeat-ngram must be"],
    [["--samples", 0], "--samples must be a whole number ≥ 1: got 0"],
    [["--samples", 1.5], "--samples must be"],
    [["--tokens", -1], "--tokens must be a whole number ≥ 0: got -1"],
    [["--seed", 1.5], "--seed must be a whole number ≥ 0: got 1.5"],
    [["--stop", ""], "--stop must have at least one character"],
    [["--stop", "x", "--stop", ""], "--stop must have"],
    [["--strategy", "beam", "--beams", 0], "--beams must be a whole number ≥ 1: got 0; 1 is greedy"],
    [
      ["--strategy", "beam", "--beams", 3, "--best", 4],
      "--best must be a whole number from 1 to --beams, here 3: got 4",
    ],
    [["--strategy", "beam", "--best", 0], "--best must be"],
    [["--strategy", "beam", "--length-penalty", -1], "--length-penalty must be a finite number ≥ 0: got -1"],
    [["--beams", 4], "--beams requires --strategy beam: got --strategy sample"],
    [["--best", 1, "--strategy", "greedy"], "--best requires --strategy beam: got --strategy greedy"],
    [["--length-penalty", 0], "--length-penalty requires --strategy beam"],
    [
      ["--strategy", "beam", "--temperature", 0.6],
      "--temperature requires --strategy sample or greedy: got --strategy beam",
    ],
    [["--strategy", "beam", "--top-k", 5], "--top-k requires"],
    [["--strategy", "beam", "--top-p", 0.5], "--top-p requires"],
    [["--strategy", "beam", "--min-p", 0.5], "--min-p requires"],
    [["--strategy", "beam", "--samples", 2], "--samples requires --strategy sample: got --strategy beam"],
    [["--strategy", "greedy", "--samples", 2], "--samples requires --strategy sample: got --strategy greedy"],
  ])("%j", (words, message) => {
    expect(refusal(...words)).toContain(message);
  });

  it.each(["NaN", "Infinity", "", "hot"])("--temperature %j, which is not a number", (word) => {
    expect(() => parse("--temperature", word)).toThrow(/--temperature <number>.*It must be a number/);
  });
});

describe("valid flags", () => {
  it("have the defaults that --help documents", () => {
    const flags = parse();
    checkSampleFlags(flags);
    expect(sampleSettingsOf(flags)).toEqual({
      ...{ strategy: "sample", temperature: 0.6, topK: null, topP: null, minP: null },
      ...{ repetitionPenalty: null, noRepeatNgram: null },
    });
    const beam = parse("--strategy", "beam");
    checkSampleFlags(beam);
    expect(beamSettingsOf(beam)).toEqual({
      ...{ beams: 4, best: 1, lengthPenalty: 0, repetitionPenalty: null, noRepeatNgram: null },
    });
    // --best above the default number of beams raises --beams.
    expect(beamSettingsOf(parse("--strategy", "beam", "--best", 7))).toMatchObject({ beams: 7, best: 7 });
  });

  it("set the setting of the same name", () => {
    const words = ["--temperature", 0, "--top-k", 1000000, "--top-p", 1, "--min-p", 0].concat(
      ...[["--repetition-penalty", 1.3, "--no-repeat-ngram", 3]],
    );
    const flags = parse(...words, "--strategy", "greedy");
    checkSampleFlags(flags);
    expect(sampleSettingsOf(flags)).toEqual({
      ...{ strategy: "greedy", temperature: 0, topK: 1000000, topP: 1, minP: 0 },
      ...{ repetitionPenalty: 1.3, noRepeatNgram: 3 },
    });
  });

  it("keep the order of repeated values", () => {
    const flags = parse("--stop", "a", "--prompt", "x", "--stop", "b b", "--prompt", "y");
    expect([flags.stop, flags.prompt]).toEqual([
      ["a", "b b"],
      ["x", "y"],
    ]);
  });
});

it("ignoredFlags lists the given flags that greedy ignores", () => {
  expect(ignoredFlags(parse("--strategy", "greedy", "--temperature", 0.5, "--min-p", 0.1))).toEqual([
    "--temperature",
    "--min-p",
  ]);
  expect(ignoredFlags(parse("--strategy", "greedy", "--repetition-penalty", 1.1))).toEqual([]);
  expect(ignoredFlags(parse("--temperature", 0.5))).toEqual([]);
});
