import { describe, expect, it } from "vitest";
import { splitCorpus } from "../../src/data/split.ts";
import { WindowLoader } from "../../src/data/window-loader.ts";
import { ArgumentError, ConfigError } from "../../src/errors.ts";
import { checkModelConfig, GPT2_STYLE } from "../../src/nn/config.ts";
import { PLAIN_SAMPLING } from "../../src/sample/generate-text.ts";
import { checkSampleSettings } from "../../src/sample/settings.ts";
import { checkChoice, checkTypes } from "../../src/util/check-types.ts";

describe("checkTypes", () => {
  it.each([
    ["a string", "string", 3, "3"],
    ["a number", "number", "3", '"3"'],
    ["true or false", "boolean", 0, "0"],
    ["a function", "function", null, "null"],
    ["an object", "object", [], "an array"],
    ["an array", "array", {}, "an object"],
    ["an array of numbers", "numbers", [1, "2"], "an array"],
    ["an array of numbers", "numbers", new DataView(new ArrayBuffer(2)), "an object"],
    ["an object", "object?", "x".repeat(50), `"${"x".repeat(40)}…"`],
    ["an object with read and write", ["read", "write"], { read: 1 }, "an object"],
  ] as const)("demands %s", (wanted, expected, value, shown) => {
    const message = `run: \`it\` must be ${wanted}: got ${shown}`;
    expect(() => checkTypes("run", { it: value }, { it: expected })).toThrow(new ArgumentError(message));
  });

  it("accepts what fits", () => {
    const fitting = {
      a: "",
      b: Number.NaN,
      c: false,
      d: () => {},
      e: {},
      f: [],
      g: [1],
      h: new Int32Array(1),
    };
    const kinds = { a: "string", b: "number", c: "boolean", d: "function", e: "object", f: "array" } as const;
    checkTypes("run", fitting, { ...kinds, g: "numbers", h: "numbers" });
    checkTypes("run", { a: undefined, b: null, c: "x" }, { a: "string?", b: "number?", c: "string?" });
    checkTypes("run", { a: { read: undefined } }, { a: ["read"] });
  });
});

describe("a misspelled choice is refused, with the nearest one", () => {
  const config = {
    ...GPT2_STYLE,
    vocabSize: 3,
    contextLength: 4,
    layers: 1,
    heads: 1,
    dModel: 4,
    dropout: 0,
  };
  const check = (changed: object) =>
    Reflect.apply(checkModelConfig, undefined, [{ ...config, attention: "fused", ...changed }]);
  const load = (windows: string) =>
    Reflect.construct(WindowLoader, [
      new Int32Array(9),
      { contextLength: 4, batchSize: 1, seed: 1, windows },
    ]);

  it.each([
    ["mode", () => checkChoice("mode", "recrod", ["grad", "no-grad"]), "grad or no-grad", "recrod", "grad"],
    [
      "strategy",
      () => checkSampleSettings(Object.assign({}, PLAIN_SAMPLING, { strategy: "gredy" })),
      "sample or greedy",
      "gredy",
      "greedy",
    ],
    ["windows", () => load("epoch"), "random or epochs", "epoch", "epochs"],
    [
      "activation",
      () => check({ activation: "gleu" }),
      "gelu or gelu-tanh or relu2 or swiglu",
      "gleu",
      "gelu",
    ],
    ["norm", () => check({ norm: "rsm" }), "layer or rms", "rsm", "rms"],
    ["positions", () => check({ positions: "rotory" }), "learned or rotary or none", "rotory", "rotary"],
    ["attention", () => check({ attention: "flused" }), "fused or textbook", "flused", "fused"],
  ])("%s", (name, run, choices, given, nearest) => {
    const message = `\`${name}\` must be ${choices}: got "${given}"; did you mean "${nearest}"?`;
    expect(run).toThrow(new ConfigError(message));
  });

  it("without a guess for what is not a word", () => {
    expect(() => checkChoice("norm", 3, ["layer", "rms"])).toThrow(
      new ConfigError("`norm` must be layer or rms: got 3"),
    );
  });
});

it("a text is no corpus of ids", () => {
  expect(() => Reflect.apply(splitCorpus, undefined, ["abc"])).toThrow(
    new ArgumentError('splitCorpus: `ids` must be an object with subarray and length: got "abc"'),
  );
});
