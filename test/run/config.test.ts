import { describe, expect, it } from "vitest";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { CheckpointError } from "../../src/errors.ts";
import { Encoder } from "../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { buildModel } from "../../src/run/build-model.ts";
import { gptConfigOf, runConfigFromJSON, runConfigToJSON } from "../../src/run/config.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { doubleContext } from "../support/contexts.ts";
import { randomChoices } from "../support/models.ts";

const settings = resolveSettings({
  layers: 3,
  heads: 5,
  dModel: 35,
  contextLength: 17,
  attention: "textbook",
});
const corpus = { path: "my text.txt", sha256: "ab".repeat(32), characters: 1234 };

describe("the config of a run", () => {
  it.each([
    ["characters", CharTokenizer.fromText("no 🦊 is\nleft out")],
    ["bytes", new ByteTokenizer()],
  ])("survives JSON, with a tokenizer of %s", (_kind, tokenizer) => {
    const json: unknown = JSON.parse(JSON.stringify(runConfigToJSON({ settings, tokenizer, corpus })));
    const back = runConfigFromJSON(json, "config.json");
    expect(back.settings).toEqual(settings);
    expect(back.corpus).toEqual(corpus);
    expect(back.tokenizer.toJSON()).toEqual(tokenizer.toJSON());
    expect(back.tokenizer.encode("no 🦊")).toEqual(tokenizer.encode("no 🦊"));
  });

  it("of an earlier version is read with renamed values, and new settings have their former behavior", () => {
    const { activation: _, ...rest } = settings;
    const { positions, norm, normWeights, qkNorm, zeroInit, logitCap, cooldown, averageSteps, ...known } =
      rest;
    const tokenizer = new ByteTokenizer().toJSON();
    for (const [then, today] of [
      ["exact", "gelu"],
      ["tanh", "gelu-tanh"],
      ["swiglu", "swiglu"],
    ]) {
      const json = { settings: { ...known, activation: then }, tokenizer, corpus };
      expect(runConfigFromJSON(json, "config.json").settings).toEqual({ ...settings, activation: today });
    }
    const unknown = { settings: { ...known, activation: "toString" }, tokenizer, corpus };
    expect(() => runConfigFromJSON(unknown, "config.json")).toThrow("`activation` must be gelu or");
  });

  it("passes every choice to the model", () => {
    const choices = randomChoices(Random.of(3));
    expect(gptConfigOf(resolveSettings(choices), 19)).toMatchObject(choices);
  });

  it("passes sizes and choices to the model", () => {
    const { layers, heads, dModel, contextLength, attention, bias, tieHead } = settings;
    const model = { layers, heads, dModel, contextLength, attention, bias, tieHead, vocabSize: 19 };
    expect(gptConfigOf(settings, 19)).toMatchObject(model);
  });

  it.each([
    ["gpt", ["contextLength", "bigram", "tokenizer"], ["task", "alphabetSize", "minLength", "maxLength"]],
    ["encoder", ["contextLength", "tokenizer"], ["bigram", "task"]],
    ["seq2seq", ["task", "alphabetSize", "minLength", "maxLength"], ["contextLength", "bigram", "tokenizer"]],
  ] as const)("of %s keeps its own settings and leaves those of other kinds out", (model, own, others) => {
    const settings = resolveSettings({ model });
    const json = runConfigToJSON({ settings, tokenizer: new ByteTokenizer(), corpus: null });
    for (const name of ["model", "layers", "steps", "seed", ...own]) {
      expect(json.settings).toHaveProperty(name);
    }
    for (const name of others) expect(json.settings).not.toHaveProperty(name);
    const back = runConfigFromJSON(JSON.parse(JSON.stringify(json)), "config.json");
    expect(back).toMatchObject({ settings, corpus: null });
  });

  it("without a model kind describes a gpt, as in early versions", () => {
    const { model: _, ...old } = runConfigToJSON({
      settings,
      tokenizer: new ByteTokenizer(),
      corpus,
    }).settings;
    const json = { settings: old, tokenizer: { kind: "byte" }, corpus };
    expect(runConfigFromJSON(json, "config.json").settings).toEqual({ ...settings, model: "gpt" });
  });

  it("builds the model that it describes", () => {
    const build = (changes: Partial<Settings>) => {
      const settings = resolveSettings({ layers: 1, heads: 1, dModel: 2, contextLength: 5 }, changes);
      return buildModel(doubleContext(), settings, 7, Random.of(1));
    };
    expect(build({})).toBeInstanceOf(GPT);
    expect(build({ model: "encoder" })).toBeInstanceOf(Encoder);
    const answering = build({ model: "seq2seq", maxLength: 13 });
    expect(answering).toBeInstanceOf(EncoderDecoder);
    // Room for [start] and the longest answer.
    expect(answering.config.contextLength).toBe(14);
  });

  const whole = runConfigToJSON({ settings, tokenizer: new ByteTokenizer(), corpus });
  it.each([
    ["is no object", null, "config.json: not the config of a run"],
    ["has no settings", { ...whole, settings: undefined }, "settings"],
    ["has no corpus", { ...whole, corpus: { path: "x" } }, "corpus.sha256"],
    ["has an unknown setting", { ...whole, settings: { ...settings, layer: 1 } }, 'did you mean "layers"?'],
    ["has sizes at odds", { ...whole, settings: { ...settings, heads: 4 } }, "must be a multiple of `heads`"],
    ["has an unknown tokenizer", { ...whole, tokenizer: { kind: "words" } }, "tokenizer"],
    [
      "has characters twice",
      { ...whole, tokenizer: { kind: "char", characters: "aa" } },
      "characters must be unique",
    ],
  ])("is rejected when it %s", (_what, json, message) => {
    expect(() => runConfigFromJSON(json, "config.json")).toThrow(CheckpointError);
    expect(() => runConfigFromJSON(json, "config.json")).toThrow(message);
  });
});
