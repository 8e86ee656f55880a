/** The encoder and the encoder–decoder against PyTorch, including empty padded rows and an empty source. */
import { describe, expect, test } from "vitest";
import { Encoder } from "../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { Random } from "../../src/random.ts";
import { goldenModels, provePyTorchs } from "../support/golden-models.ts";

describe("encoder", () => {
  const models = goldenModels("encoder");

  provePyTorchs(
    models,
    (context, config) => new Encoder(context, config, Random.of(1)),
    (encoder, { tokens }) => encoder.forward(tokens),
  );

  test("some tokens are [MASK]", () => {
    const hides = models.filter(({ tokens, config }) => Array.from(tokens.ids).includes(config.vocabSize));
    expect(hides.length).toBeGreaterThan(1);
  });
});

describe("encoder–decoder", () => {
  const models = goldenModels("encoder-decoder");

  provePyTorchs(
    models,
    (context, config) => new EncoderDecoder(context, config, Random.of(1)),
    (model, { source, tokens }) => model.forward(source, tokens),
  );

  test("one source is empty while its answer is not", () => {
    const found = models.flatMap(({ source, tokens: { padding } }) => {
      const empty = (source.padding?.ends ?? []).flatMap((end, b) =>
        source.padding?.starts[b] === end ? b : [],
      );
      return empty.filter((b) => padding !== undefined && padding.ends[b] > padding.starts[b]);
    });
    expect(found.length).toBeGreaterThan(0);
  });
});
