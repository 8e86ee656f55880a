import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { checkGPTConfig, checkModelConfig } from "../../src/nn/config.ts";
import { TINY } from "../support/models.ts";

describe("checkModelConfig", () => {
  test("accepts sizes that fit", () => {
    expect(() => checkModelConfig(TINY)).not.toThrow();
  });

  test.each(["vocabSize", "contextLength", "layers", "heads", "dModel"] as const)(
    "%s must be a whole number ≥ 1",
    (name) => {
      for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        const error = new ConfigError(`${name} must be a whole number ≥ 1: got ${value}`);
        expect(() => checkModelConfig({ ...TINY, [name]: value })).toThrow(error);
      }
    },
  );

  test.each([
    [7, 3, 6],
    [8, 3, 9],
    [2, 5, 5],
  ])("%i channels do not make %i heads, and %i would", (dModel, heads, nearest) => {
    const message = `dModel must be a multiple of heads: got ${dModel} channels for ${heads} heads; ${nearest} works`;
    expect(() => checkModelConfig({ ...TINY, dModel, heads })).toThrow(new ConfigError(message));
    expect(() => checkModelConfig({ ...TINY, dModel: nearest, heads })).not.toThrow();
  });

  test("rotary positions need an even number of channels per head", () => {
    const config = { ...TINY, heads: 3, positions: "rotary" } as const;
    const message =
      "rotary positions rotate pairs of channels, so each head needs an even number: got 15 channels for 3 heads, 5 in each; 18 channels work";
    expect(() => checkModelConfig({ ...config, dModel: 15 })).toThrow(new ConfigError(message));
    expect(() => checkModelConfig({ ...config, dModel: 18 })).not.toThrow();
  });

  test("an odd head size is refused where it is rotated; a head size needs no multiple of the heads", () => {
    const config = { ...TINY, heads: 3, dModel: 7, headSize: 5 };
    expect(() => checkModelConfig(config)).not.toThrow();
    expect(() => checkModelConfig({ ...config, positions: "rotary" })).toThrow("got 5; 6 works");
    expect(() => checkModelConfig({ ...config, positions: "rotary", headSize: 6 })).not.toThrow();
  });

  test("heads must be a multiple of kvHeads", () => {
    const config = { ...TINY, heads: 6, dModel: 12 };
    for (const kvHeads of [0, 1, 2, 3, 6])
      expect(() => checkModelConfig({ ...config, kvHeads })).not.toThrow();
    for (const kvHeads of [4, 5, 12])
      expect(() => checkModelConfig({ ...config, kvHeads })).toThrow(
        `got 6 heads and ${kvHeads} kvHeads; 1, 2, 3 and 6 work`,
      );
  });

  test.each(["kvHeads", "headSize", "mlpWidth"] as const)("%s must be a whole number ≥ 0", (name) => {
    for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const error = new ConfigError(`${name} must be a whole number ≥ 0: got ${value}`);
      expect(() => checkModelConfig({ ...TINY, [name]: value })).toThrow(error);
    }
  });

  test("normEpsilon must be above 0 in single precision, ropeBase at least 1, and qkNormWeights need qkNorm", () => {
    for (const normEpsilon of [0, -1, 1e-50, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => checkModelConfig({ ...TINY, normEpsilon })).toThrow(
        "normEpsilon must be a number above 0",
      );
    for (const ropeBase of [0, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => checkModelConfig({ ...TINY, ropeBase })).toThrow("ropeBase must be a number ≥ 1");
    expect(() => checkModelConfig({ ...TINY, qkNormWeights: true })).toThrow(
      "got qkNormWeights without qkNorm",
    );
    expect(() => checkModelConfig({ ...TINY, qkNorm: true, qkNormWeights: true })).not.toThrow();
  });

  test("logitCap must be a finite number ≥ 0", () => {
    for (const logitCap of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const message = `logitCap must be a number ≥ 0: got ${logitCap}`;
      expect(() => checkGPTConfig({ ...TINY, logitCap })).toThrow(new ConfigError(message));
    }
    const tiny = "logitCap is too small for single precision: got 1e-40; 0 means no cap, 30 is usual";
    expect(() => checkGPTConfig({ ...TINY, logitCap: 1e-40 })).toThrow(new ConfigError(tiny));
    expect(() => checkGPTConfig({ ...TINY, logitCap: 30 })).not.toThrow();
  });
});
