import { describe, expect, test } from "vitest";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { portableEncoderDecoder, portableModel } from "../../src/interop/portable-model.ts";
import type { SavedModel } from "../../src/run/saved-model.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";

function savedAs(model: Settings["model"]): SavedModel {
  const config = { settings: resolveSettings({ model }), tokenizer: new CharTokenizer("abc"), corpus: null };
  return { config, files: { step: 0, folder: "run", which: "best", config: {}, tensors: new Map() } };
}

describe("each kind of model has its own door", () => {
  test("a GPT and an encoder–decoder, with the length of their contexts", () => {
    expect(portableModel(savedAs("gpt")).config).toMatchObject({ vocabSize: 3, contextLength: 64 });
    const { config } = portableEncoderDecoder(savedAs("seq2seq"));
    // [start] and 10 letters.
    expect(config).toMatchObject({ vocabSize: 3, contextLength: 11 });
    expect(config).not.toHaveProperty("bigram");
  });

  test("the other kinds are refused, with the function that takes them if there is one", () => {
    expect(() => portableModel(savedAs("seq2seq"))).toThrow("got seq2seq, portableEncoderDecoder takes it");
    expect(() => portableModel(savedAs("encoder"))).toThrow("kind gpt: got encoder, for which there is no");
    expect(() => portableEncoderDecoder(savedAs("gpt"))).toThrow("kind seq2seq: got gpt");
  });
});
