import { describe, expect, it } from "vitest";
import { presetOf } from "../../src/config/presets.ts";
import { resolveSettings, SETTINGS, type Settings } from "../../src/config/settings.ts";
import {
  BASE,
  keyOf,
  parseVariation,
  readRuns,
  variationsOf,
  variedSettings,
} from "../../src/config/variations.ts";
import { ConfigError } from "../../src/errors.ts";

const base = resolveSettings({ steps: 42 });

describe("variations", () => {
  it("change one option each", () => {
    const variations = variationsOf(base);
    expect(variations.map(({ name }) => name)).toEqual([
      "optimizer=muon",
      "schedule=linear",
      "schedule=constant",
      "schedule=trapezoid",
      "windows=epochs",
      "averageSteps=5",
      "positions=rotary",
      "positions=none",
      "norm=rms",
      "normWeights=off",
      "qkNorm=on",
      "kvHeads=2",
      "activation=gelu-tanh",
      "activation=relu2",
      "activation=swiglu",
      "zeroInit=on",
      "tieHead=off",
      "bias=off",
      "bigram=on",
      "logitCap=30",
    ]);
    for (const variation of variations) {
      const settings = variedSettings(base, variation, 7);
      const changed = SETTINGS.map(({ name }) => name).filter((name) => settings[name] !== base[name]);
      expect(changed.sort()).toEqual(["seed", ...Object.keys(variation.changes)].sort());
    }
  });

  it("do not change the base by themselves", () => {
    expect(variedSettings(base, BASE, base.seed)).toEqual(base);
  });

  it("of another base include the alternatives to its values", () => {
    const names = variationsOf(resolveSettings(presetOf("modern").settings)).map(({ name }) => name);
    for (const name of ["optimizer=adamw", "norm=layer", "qkNorm=off", "zeroInit=off", "bias=on"]) {
      expect(names).toContain(name);
    }
    const capped = variationsOf(resolveSettings({ logitCap: 15, averageSteps: 9 })).map(({ name }) => name);
    expect(capped).toContain("logitCap=0");
    const groups = (changes: Partial<Settings>) =>
      variationsOf(resolveSettings({ dModel: 30, ...changes })).flatMap(
        ({ changes: { kvHeads } }) => kvHeads ?? [],
      );
    expect(groups({ heads: 6 })).toEqual([3]);
    expect(groups({ heads: 5 })).toEqual([1]);
    expect(groups({ heads: 6, kvHeads: 2 })).toEqual([0]);
    expect(groups({ heads: 1 })).toEqual([]);
    expect(capped).toContain("averageSteps=0");
  });

  it("are parsed from user input", () => {
    expect(parseVariation("positions=rotary").changes).toEqual({ positions: "rotary" });
    expect(parseVariation("  --qk-norm=on optimizer=muon  learning-rate=0.003 ")).toEqual({
      name: "qkNorm=on optimizer=muon learningRate=0.003",
      changes: { qkNorm: true, optimizer: "muon", learningRate: 0.003 },
    });
  });

  it.each([
    ["", "got none"],
    ["postions=rotary", 'did you mean "positions"?'],
    ["positions=round", "positions must be learned or rotary or none"],
    ["qk-norm=yes", "qk-norm must be on or off"],
    ["learning-rate=fast", "learning-rate must be a number"],
    ["learning-rate", "learning-rate must be a number"],
    ["seed=3", "`seeds` says how many"],
  ])("rejects %j: %s", (words, message) => {
    expect(() => parseVariation(words)).toThrow(ConfigError);
    expect(() => parseVariation(words)).toThrow(message);
  });
});

describe("runs", () => {
  const run = { settings: { ...base }, corpus: "ab", holdout: 0.1, backend: "wasm" };
  const outcome = { lossNats: 2, bitsPerByte: 1.5, tokens: 5, elapsedMs: 7 };

  it("have the same key if all settings that affect weights are equal", () => {
    const key = keyOf(run);
    expect(keyOf({ ...run, settings: { ...base, evalInterval: 3, patience: 2 } })).toBe(key);
    expect(keyOf(JSON.parse(JSON.stringify(run)))).toBe(key);
    for (const other of [
      { ...run, settings: { ...base, seed: 1 } },
      { ...run, settings: { ...base, qkNorm: true } },
      { ...run, corpus: "cd" },
      { ...run, holdout: 0.2 },
      { ...run, backend: "reference" },
    ]) {
      expect(keyOf(other)).not.toBe(key);
    }
  });

  it("are read from a file, without a truncated last line", () => {
    const other = { ...run, settings: { ...base, seed: 1 }, lossNats: null, tokens: 0, elapsedMs: 1 };
    // Earlier versions wrote no bits per byte.
    const lines = [{ ...run, ...outcome }, other].map((line) => JSON.stringify(line));
    const runs = readRuns(`${lines.join("\n")}\n{"settings":{"lay`);
    expect([...runs.values()]).toEqual([
      { ...run, ...outcome },
      { ...other, bitsPerByte: null },
    ]);
    expect(runs.get(keyOf(run))?.lossNats).toBe(2);
    expect(readRuns("").size).toBe(0);
  });
});
