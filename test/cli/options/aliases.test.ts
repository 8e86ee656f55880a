import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addSampleFlags } from "../../../src/cli/commands/sample/flags.ts";
import { addAliases, addEpochs } from "../../../src/cli/options/aliases.ts";
import { addSettingFlags, settingsOf } from "../../../src/cli/options/settings-flags.ts";

/** The values of the flags of `train` or `sample`, or the message of the error. */
function parse(kind: "train" | "sample", ...words: readonly string[]): Record<string, unknown> | string {
  const command = new Command();
  let message = "";
  command.exitOverride((error) => {
    throw error;
  });
  command.configureOutput({ writeErr: (text) => (message += text) });
  if (kind === "sample") addSampleFlags(command);
  else for (const group of ["model", "training"] as const) addSettingFlags(command, settingsOf(group));
  addAliases(command);
  if (kind === "train") addEpochs(command);
  try {
    command.parse([...words], { from: "user" });
    return command.opts();
  } catch {
    return message;
  }
}

describe("another name of a flag means the flag", () => {
  test.each([
    ["--lr", "0.01", { learningRate: 0.01 }],
    ["--wd", "0.2", { weightDecay: 0.2 }],
    ["--bs", "7", { batchSize: 7 }],
    ["--max-iters", "99", { steps: 99 }],
    ["--n-layer", "3", { layers: 3 }],
    ["--n-head", "5", { heads: 5 }],
    ["--n-embd", "35", { dModel: 35 }],
    ["--block-size", "17", { contextLength: 17 }],
  ])("train %s %s", (alias, value, expected) => {
    expect(parse("train", alias, value)).toMatchObject(expected);
    expect(parse("train", `${alias}=${value}`)).toMatchObject(expected);
  });

  test.each([
    ["--length", "12", { tokens: 12 }],
    ["--max-new-tokens", "13", { tokens: 13 }],
    ["--temp", "0.5", { temperature: 0.5 }],
  ])("sample %s %s", (alias, value, expected) => {
    expect(parse("sample", alias, value)).toMatchObject(expected);
  });

  test("the last one counts", () => {
    expect(parse("train", "--lr", "0.1", "--learning-rate", "0.2")).toMatchObject({ learningRate: 0.2 });
    expect(parse("train", "--learning-rate", "0.2", "--lr", "0.1")).toMatchObject({ learningRate: 0.1 });
  });

  test("its value is checked", () => {
    expect(parse("train", "--lr", "fast")).toMatch(/--lr.*fast.*must be a number/);
  });

  test("without it, nothing changes", () => {
    expect(parse("train")).toEqual({});
  });
});

test("epochs are explained in steps", () => {
  expect(parse("train", "--epochs", "3")).toMatch(/--epochs.*counted in steps.*--batch-size.*Use --steps/s);
});
