import { describe, expect, test } from "vitest";
import { presetOf } from "../../src/config/presets.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { ConfigError } from "../../src/errors.ts";
import {
  architectureOf,
  describeMisfit,
  encoderDecoderMisfit,
  fitArchitecture,
} from "../../src/interop/architecture.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import { gptConfigOf } from "../../src/run/config.ts";

function configOf(settings: Partial<Settings>): GPTConfig {
  return gptConfigOf(resolveSettings(settings), 11);
}

const LLAMA: Partial<Settings> = { positions: "rotary", norm: "rms", activation: "swiglu" };

describe("the stock class of a model's options", () => {
  test.each<[string, Partial<Settings>]>([
    ["GPT2", {}],
    ["GPT2", { positions: "none", activation: "relu2", bias: false, normWeights: false, tieHead: false }],
    ["GPTNeoX", { positions: "rotary", activation: "gelu-tanh" }],
    ["Llama", LLAMA],
    ["Llama", { ...LLAMA, bias: false, normWeights: false, zeroInit: true, tieHead: false }],
    ["Qwen3", { ...LLAMA, bias: false, qkNorm: true }],
    ["Arcee", { ...LLAMA, activation: "relu2" }],
    ["SmolLM3", { ...LLAMA, positions: "none" }],
    ["OLMo", { ...LLAMA, norm: "layer", normWeights: false, bias: false }],
    ["VaultGemma", { ...LLAMA, bias: false, logitCap: 5 }],
  ])("%s: %o", (name, settings) => {
    expect(fitArchitecture(configOf(settings))).toEqual({ name });
    expect(architectureOf(configOf(settings))).toBe(name);
  });

  test("presets: GPT-2's has one, and that of the tales lacks it for two reasons", () => {
    expect(architectureOf(configOf(presetOf("gpt2-style").settings))).toBe("GPT2");
    expect(fitArchitecture(configOf(presetOf("tales").settings))).toEqual({
      name: null,
      nearest: "Llama",
      obstacles: [
        { setting: "bigram", value: true, allowed: [false] },
        { setting: "norm", value: "layer", allowed: ["rms"] },
      ],
      preset: "llama-style",
    });
    expect(fitArchitecture(configOf(presetOf("modern").settings))).toEqual({
      name: null,
      nearest: "Qwen3",
      obstacles: [{ setting: "bigram", value: true, allowed: [false] }],
      preset: "modern-portable",
    });
  });

  test.each<[Partial<Settings>, readonly string[]]>([
    [{ bigram: true }, ["bigram"]],
    [{ logitCap: 30 }, ["logitCap"]],
    [{ qkNorm: true }, ["qkNorm"]],
    [{ ...LLAMA, qkNorm: true }, ["qkNorm"]],
    [{ norm: "rms" }, ["norm"]],
    [{ ...LLAMA, positions: "learned" }, ["positions"]],
    [{ ...LLAMA, bias: false, logitCap: 5, qkNorm: true }, ["logitCap"]],
  ])("%o does not fit", (settings, obstacles) => {
    const fit = fitArchitecture(configOf(settings));
    if (fit.name !== null) throw new Error(`fits ${fit.name}`);
    expect(fit.obstacles.map(({ setting }) => setting)).toEqual(obstacles);
  });

  test("the error names the options in the way, the nearest preset and ONNX", () => {
    const modern = configOf(presetOf("tales").settings);
    expect(() => architectureOf(modern)).toThrow(ConfigError);
    expect(() => architectureOf(modern)).toThrow(
      "no stock architecture of other programs has the options of this model; the nearest, Llama, needs `bigram` false, not true; `norm` rms, not layer. Models of `preset` llama-style have one, and an ONNX file can hold every gpt",
    );
    const fit = fitArchitecture(modern);
    if (fit.name !== null) throw new Error(`fits ${fit.name}`);
    expect(describeMisfit(fit, (setting, value) => `${setting}=${value}`)).toContain(
      "needs bigram=false, not",
    );
  });
});

describe("the stock class of an encoder–decoder", () => {
  test.each<Partial<Settings>>([
    presetOf("reverse").settings,
    presetOf("sort").settings,
    { positions: "none", activation: "relu2", bias: false, normWeights: false, mlpWidth: 5, zeroInit: true },
  ])("is Blenderbot's: %o", (settings) => {
    expect(encoderDecoderMisfit(configOf({ ...settings, model: "seq2seq" }))).toBeNull();
  });

  test.each<[Partial<Settings>, readonly string[]]>([
    [{ tieHead: false, normEpsilon: 1e-6 }, ["normEpsilon", "tieHead"]],
    [{ qkNorm: true, kvHeads: 1, headSize: 4 }, ["qkNorm", "kvHeads", "headSize"]],
    [LLAMA, ["activation", "norm", "positions"]],
  ])("is missing for %o", (settings, obstacles) => {
    const misfit = encoderDecoderMisfit(configOf({ ...settings, model: "seq2seq" }));
    expect(misfit).toMatchObject({ nearest: "Blenderbot", preset: "reverse" });
    expect(misfit?.obstacles.map(({ setting }) => setting).sort()).toEqual([...obstacles].sort());
  });
});
