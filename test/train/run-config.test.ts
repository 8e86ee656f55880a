import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { ByteTokenizer } from "../../src/text/byte-tokenizer.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { gptConfigOf, runConfigFromJSON, runConfigToJSON } from "../../src/train/run-config.ts";
import { resolveSettings } from "../../src/train/settings.ts";

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
  ])("comes back from JSON, with a tokenizer of %s", (_kind, tokenizer) => {
    const json: unknown = JSON.parse(JSON.stringify(runConfigToJSON({ settings, tokenizer, corpus })));
    const back = runConfigFromJSON(json, "config.json");
    expect(back.settings).toEqual(settings);
    expect(back.corpus).toEqual(corpus);
    expect(back.tokenizer.toJSON()).toEqual(tokenizer.toJSON());
    expect(back.tokenizer.encode("no 🦊")).toEqual(tokenizer.encode("no 🦊"));
  });

  it("gives the model its sizes and choices", () => {
    const { layers, heads, dModel, contextLength, attention, bias, tieHead } = settings;
    const model = { layers, heads, dModel, contextLength, attention, bias, tieHead, vocabSize: 19 };
    expect(gptConfigOf(settings, 19)).toMatchObject(model);
  });

  const whole = runConfigToJSON({ settings, tokenizer: new ByteTokenizer(), corpus });
  it.each([
    ["is no object", null, "config.json: not the config of a run"],
    ["has no settings", { ...whole, settings: undefined }, "settings"],
    ["has no corpus", { ...whole, corpus: { path: "x" } }, "corpus.sha256"],
    ["has an unknown setting", { ...whole, settings: { ...settings, layer: 1 } }, 'did you mean "layers"?'],
    ["has sizes at odds", { ...whole, settings: { ...settings, heads: 4 } }, "must be a multiple of --heads"],
    ["has an unknown tokenizer", { ...whole, tokenizer: { kind: "words" } }, "tokenizer"],
    ["has characters twice", { ...whole, tokenizer: { kind: "char", characters: "aa" } }, "once each"],
  ])("is refused when it %s", (_what, json, message) => {
    expect(() => runConfigFromJSON(json, "config.json")).toThrow(CheckpointError);
    expect(() => runConfigFromJSON(json, "config.json")).toThrow(message);
  });
});
