import { describe, expect, it } from "vitest";
import type { ModelKind } from "../../src/config/choices.ts";
import { PRESETS, presetOf } from "../../src/config/presets.ts";
import { SETTING_HELP } from "../../src/config/setting-help.ts";
import {
  checkBelonging,
  flagOf,
  parseSettings,
  resolveSettings,
  SETTINGS,
  type Settings,
} from "../../src/config/settings.ts";
import { ConfigError } from "../../src/errors.ts";

describe("settings", () => {
  it("default to the table, and later layers override earlier ones", () => {
    const defaults = resolveSettings();
    for (const { name, default: value } of SETTINGS) expect(defaults).toHaveProperty(name, value);
    expect(resolveSettings({ layers: 3, heads: 2 }, { layers: 5 })).toMatchObject({ layers: 5, heads: 2 });
  });

  it("survive JSON unchanged", () => {
    const settings = resolveSettings({ learningRate: 0.1 + 0.2, attention: "textbook" });
    expect(resolveSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
  });

  it("each have a help text and a unique flag", () => {
    for (const { help } of Object.values(SETTING_HELP)) expect(help.length).toBeGreaterThan(5);
    expect(new Set(SETTINGS.map(({ name }) => flagOf(name))).size).toBe(SETTINGS.length);
    expect(flagOf("dModel")).toBe("d-model");
  });

  it.each([
    [{ learingRate: 1 }, 'there is no setting "learingRate"; did you mean "learningRate"?'],
    [{ layers: 0 }, "`layers` must be at least 1: got 0"],
    [{ layers: 2.5 }, "`layers` must be a whole number: got 2.5"],
    [{ batchSize: -3 }, "`batchSize` must be at least 1: got -3"],
    [{ dModel: 1e9 }, "`dModel` must be at most 65536: got 1000000000"],
    [{ vocabSize: 0 }, "`vocabSize` must be at least 257, because 256 tokens are the bytes: got 0"],
    [{ vocabSize: 65_537 }, "`vocabSize` must be at most 65536: got 65537"],
    [{ vocabSize: 300.5 }, "`vocabSize` must be a whole number: got 300.5"],
    [{ dropout: 1 }, "`dropout` must be less than 1: got 1"],
    [{ logitCap: 1e-40 }, "`logitCap` must be 0 or at least 1e-12: got 1e-40"],
    [{ learningRate: 1e-310 }, "`learningRate` must be 0 or at least 1e-12: got 1e-310"],
    [{ epsilon: 1e-300 }, "`epsilon` must be at least 1e-20: got 1e-300"],
    [{ attention: "magic" }, '`attention` must be fused or textbook: got "magic"'],
    [{ heads: 9, dModel: 90, kvHeads: 2 }, "`heads` must be a multiple of `kvHeads`"],
    [{ qkNormWeights: true }, "`qkNormWeights` are the weights of `qkNorm`: turn that on too"],
    [{ normEpsilon: 0 }, "`normEpsilon` must be at least 1e-12: got 0"],
    [{ ropeBase: 0.5 }, "`ropeBase` must be at least 1: got 0.5"],
    [{ mlpWidth: 1.5 }, "`mlpWidth` must be a whole number"],
    [{ headSize: -1 }, "`headSize` must be at least 0: got -1"],
    [{ dModel: 100, heads: 3 }, "`dModel` must be a multiple of `heads`: got 100 channels for 3 heads"],
    [{ minLength: 9, maxLength: 8 }, "`minLength` must not be above `maxLength`: got 9 and 8"],
    [{ model: "bert" }, '`model` must be gpt or encoder or seq2seq: got "bert"'],
    [{ alphabetSize: 27 }, "`alphabetSize` must be at most 26: got 27"],
    [{ learningRate: 1e-4, minLearningRate: 1e-3 }, "`minLearningRate` must not be above `learningRate`"],
  ])("rejects %j: %s", (given, message) => {
    expect(() => parseSettings(given)).toThrow(ConfigError);
    expect(() => parseSettings(given)).toThrow(message);
  });

  it("are rejected if the kind of model does not have them", () => {
    const check = (kind: ModelKind, given: Partial<Settings>) => () =>
      checkBelonging({ model: kind, tokenizer: given.tokenizer ?? "char" }, given);
    expect(check("gpt", { contextLength: 5, bigram: true, tokenizer: "byte", layers: 1 })).not.toThrow();
    expect(check("seq2seq", { task: "sort", maxLength: 5, layers: 1 })).not.toThrow();
    expect(check("gpt", { task: "sort" })).toThrow(ConfigError);
    expect(check("gpt", { task: "sort" })).toThrow("`task` is for seq2seq: got it with `model` gpt");
    expect(check("gpt", { tokenizer: "bpe", vocabSize: 300 })).not.toThrow();
    expect(check("gpt", { tokenizer: "byte", vocabSize: 512 })).toThrow(
      "`vocabSize` is for `tokenizer` bpe: got it with `tokenizer` byte",
    );
    expect(check("encoder", { bigram: false })).toThrow("`bigram` is for gpt: got it with `model` encoder");
    expect(check("seq2seq", { contextLength: 5, bigram: true })).toThrow(
      "`contextLength` is for gpt and encoder; `bigram` is for gpt: got it with `model` seq2seq",
    );
  });

  it("are valid for every preset", () => {
    for (const name of Object.keys(PRESETS)) {
      const { settings } = presetOf(name);
      expect(() => checkBelonging(resolveSettings(settings), settings)).not.toThrow();
    }
    expect(() => presetOf("shakespear-cpu")).toThrow('did you mean "shakespeare-cpu"?');
    expect(() => presetOf("toString")).toThrow(ConfigError);
  });
});
