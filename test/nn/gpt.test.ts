/** The model against GPT-2's forward pass in plain numbers; its parameters and errors. */
import { describe, expect, test } from "vitest";
import type { Context } from "../../src/autograd/context.ts";
import { ConfigError, ShapeError, TokenError } from "../../src/errors.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { countNumbers } from "../../src/nn/parameters.ts";
import { Random } from "../../src/random.ts";
import { logitsOf } from "../../src/verify/logits.ts";
import { expectClose } from "../support/check-op.ts";
import { doubleContext } from "../support/contexts.ts";
import { CHOICES, randomIds, TINY, tinyModel } from "../support/models.ts";
import { parametersOf, textbookGPT } from "../support/textbook-gpt.ts";

const rows = [randomIds(5, 11, "row", 0), randomIds(5, 11, "row", 1)];
const ids = rows.flat();

describe("forward", () => {
  test.each<Partial<GPTConfig>>([
    {},
    { attention: "fused", heads: 2, tieHead: false },
    { activation: "gelu-tanh", bias: false, heads: 1 },
    { bigram: true, layers: 1 },
    { attention: "fused", bias: false, tieHead: false, layers: 1, heads: 6 },
    ...CHOICES,
    ...CHOICES.map((choice) => ({ ...choice, attention: "fused" as const })),
  ])("matches the textbook, with %j", async (changes) => {
    const model = tinyModel(doubleContext(), changes);
    const parameters = await parametersOf(model);
    const { values } = await logitsOf(model, rows);
    const size = values.length / rows.length;
    for (const [b, row] of rows.entries()) {
      expectClose(
        values.subarray(b * size, (b + 1) * size),
        textbookGPT(model.config, parameters, row).flat(),
        1e-10,
        `row ${b}, logit`,
      );
    }
  });

  test("returns (B, T, V), even for no tokens", async () => {
    const model = tinyModel(doubleContext());
    await model.context.scope("no-grad", () => {
      expect(model.forward({ ids, batchSize: 2 }).shape).toEqual([2, 5, 11]);
      const last = { cache: null, random: null, lastOnly: true };
      expect(model.forward({ ids, batchSize: 2 }, last).shape).toEqual([2, 1, 11]);
      expect(model.forward({ ids: [], batchSize: 2 }).shape).toEqual([2, 0, 11]);
    });
  });

  test("drops only if given a Random, and the same elements for the same seed", async () => {
    const model = tinyModel(doubleContext(), { dropout: 0.3 });
    const run = (seed: number | null) =>
      model.context.scope("no-grad", () => {
        const random = seed === null ? null : Random.of(seed);
        return model.forward({ ids, batchSize: 2 }, { cache: null, random }).read();
      });
    const plain = await run(null);
    expect(plain).toEqual(await run(null));
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
    expect(await run(1)).not.toEqual(plain);
    // Without a Random, the result is that of a model without dropout.
    const without = tinyModel(doubleContext());
    expect(plain.join()).toEqual((await logitsOf(without, rows)).values.join());
  });

  test("rejects sequences that are too long, and ids that do not form rows", async () => {
    const model = tinyModel(doubleContext());
    await model.context.scope("no-grad", async () => {
      const long = "gpt: sequences may have at most 7 tokens: got 8 ids in 1 rows after 0 cached";
      expect(() => model.forward({ ids: new Array(8).fill(0), batchSize: 1 })).toThrow(new ShapeError(long));
      const uneven = "gpt: sequences may have at most 7 tokens: got 5 ids in 2 rows after 0 cached";
      expect(() => model.forward({ ids: [0, 0, 0, 0, 0], batchSize: 2 })).toThrow(new ShapeError(uneven));
      expect(() => model.forward({ ids: [0], batchSize: 0 })).toThrow(ShapeError);
      expect(() => model.forward({ ids: [11], batchSize: 1 })).toThrow(TokenError);

      const cache = model.makeCache(1);
      model.forward({ ids: [1, 2, 3, 4, 5, 6], batchSize: 1 }, { cache, random: null });
      const full = "gpt: sequences may have at most 7 tokens: got 2 ids in 1 rows after 6 cached";
      expect(() => model.forward({ ids: [0, 0], batchSize: 1 }, { cache, random: null })).toThrow(
        new ShapeError(full),
      );
      expect(cache.length, "rejected tokens are not counted").toBe(6);
    });
  });

  test("rejects a cache in a grad scope", async () => {
    const model = tinyModel(doubleContext());
    const cache = model.makeCache(1);
    const run = model.context.scope("grad", () =>
      model.forward({ ids: [1], batchSize: 1 }, { cache, random: null }),
    );
    await expect(run).rejects.toThrow(
      "cache: gradients do not pass through a cache; use it in a no-grad scope",
    );
  });
});

describe("parameters", () => {
  test("have these names and shapes, in this order", () => {
    const { vocabSize: V, contextLength: T, dModel: C } = TINY;
    const model = new GPT(doubleContext(), { ...TINY, tieHead: false, layers: 1 }, Random.of(1));
    const found = Object.entries(model.parameters()).map(([name, { shape }]) => [name, shape]);
    const square = (name: string) => [
      [`blocks.0.attention.${name}.weight`, [C, C]],
      [`blocks.0.attention.${name}.bias`, [C]],
    ];
    const norm = (name: string) => [
      [`${name}.weight`, [C]],
      [`${name}.bias`, [C]],
    ];
    expect(found).toEqual([
      ["tokenEmbedding", [V, C]],
      ["positionEmbedding", [T, C]],
      ...norm("blocks.0.attentionNorm"),
      ...["query", "key", "value", "output"].flatMap(square),
      ...norm("blocks.0.mlpNorm"),
      ["blocks.0.mlp.up.weight", [C, 4 * C]],
      ["blocks.0.mlp.up.bias", [4 * C]],
      ["blocks.0.mlp.down.weight", [4 * C, C]],
      ["blocks.0.mlp.down.bias", [C]],
      ...norm("finalNorm"),
      ["head.weight", [C, V]],
    ]);
  });

  test("have these names and shapes with other options", () => {
    const { vocabSize: V, dModel: C } = TINY;
    const changes = CHOICES.find(({ bigram }) => bigram);
    const modern = {
      ...TINY,
      layers: 1,
      ...changes,
      activation: "swiglu",
      norm: "layer",
      bias: true,
    } as const;
    const model = new GPT(doubleContext(), modern, Random.of(1));
    const found = Object.entries(model.parameters()).map(([name, { shape }]) => [name, shape]);
    const layer = (name: string, inputs: number, outputs: number) => [
      [`blocks.0.${name}.weight`, [inputs, outputs]],
      [`blocks.0.${name}.bias`, [outputs]],
    ];
    expect(found).toEqual([
      ["tokenEmbedding", [V, C]],
      ["bigramEmbedding", [(V + 1) * V, C]],
      // LayerNorm without a scale keeps its shift; RMS norm has none.
      ["blocks.0.attentionNorm.bias", [C]],
      ...["query", "key", "value", "output"].flatMap((name) => layer(`attention.${name}`, C, C)),
      ["blocks.0.mlpNorm.bias", [C]],
      // Two thirds of 4C, so that three matrices have as many weights as two of width 4C.
      ...[layer("mlp.gate", C, 16), layer("mlp.up", C, 16), layer("mlp.down", 16, C)].flat(),
      ["finalNorm.bias", [C]],
      ["head.weight", [C, V]],
    ]);
    const rms = new GPT(doubleContext(), { ...modern, norm: "rms" }, Random.of(1)).parameters();
    expect(Object.keys(rms).filter((name) => /norm/i.test(name))).toEqual([]);
  });

  test("have the shapes of shared heads, a head size and an MLP width, and weights in qk-norm", () => {
    const sizes = { dModel: 6, heads: 6, kvHeads: 2, headSize: 5, mlpWidth: 7, layers: 1 };
    const config = { ...TINY, ...sizes, qkNorm: true, qkNormWeights: true, bias: false };
    const parameters = new GPT(doubleContext(), config, Random.of(1)).parameters();
    const shapes = Object.entries(parameters).map(([name, { shape }]) => [name, shape]);
    expect(shapes.filter(([name]) => /attention\.|mlp\./.test(String(name)))).toEqual([
      ["blocks.0.attention.query.weight", [6, 30]],
      ["blocks.0.attention.key.weight", [6, 10]],
      ["blocks.0.attention.value.weight", [6, 10]],
      ["blocks.0.attention.output.weight", [30, 6]],
      ["blocks.0.attention.queryNorm.weight", [5]],
      ["blocks.0.attention.keyNorm.weight", [5]],
      ["blocks.0.mlp.up.weight", [6, 7]],
      ["blocks.0.mlp.down.weight", [7, 6]],
    ]);
  });

  test("are fewer without biases, and with a tied head", () => {
    const count = (changes: Partial<GPTConfig>) =>
      countNumbers(new GPT(doubleContext(), { ...TINY, ...changes }, Random.of(1)).parameters());
    const [C, V, T] = [6, 11, 7];
    const layer = 2 * C + 4 * C * C + 8 * C * C;
    expect(count({ bias: false })).toBe(V * C + T * C + 2 * layer - 2 * C + 2 * C + C);
    expect(count({ bias: true }) - count({ bias: false })).toBe(2 * (2 * C + 4 * C + 5 * C) + C);
    expect(count({ tieHead: false }) - count({})).toBe(C * V);
  });

  test("are determined by the seed", async () => {
    const drawn = async (seed: number) => {
      const model = new GPT(doubleContext(), TINY, Random.of(seed));
      return Promise.all(Object.values(model.parameters()).map((tensor) => tensor.read()));
    };
    expect(await drawn(1)).toEqual(await drawn(1));
    expect(await drawn(1)).not.toEqual(await drawn(2));
  });

  test("do not depend on the form of attention", async () => {
    const drawn = async (attention: "textbook" | "fused") =>
      parametersOf(new GPT(doubleContext(), { ...TINY, attention }, Random.of(1)));
    expect(await drawn("textbook")).toEqual(await drawn("fused"));
  });
});

test("rejects a config whose sizes do not fit", () => {
  const context: Context = doubleContext();
  expect(() => new GPT(context, { ...TINY, heads: 4 }, Random.of(1))).toThrow(ConfigError);
});
