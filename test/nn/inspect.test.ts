/** Attention maps and activations are those of the forward pass, whatever the model's options. */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ShapeError } from "../../src/errors.ts";
import type { Encoder } from "../../src/nn/encoder.ts";
import type { GPT } from "../../src/nn/gpt.ts";
import { padTokens, type TokenBatch } from "../../src/nn/inputs/token-batch.ts";
import { type InspectOptions, inspect } from "../../src/nn/inspect.ts";
import { causalMask, type MaskMatrix } from "../../src/nn/layers/textbook-attention.ts";
import { MaskSwitchGPT } from "../../src/nn/mask-switch.ts";
import { add } from "../../src/ops/add.ts";
import { Random } from "../../src/random.ts";
import { showAll, showNext } from "../../src/verify/wrong-masks.ts";
import { expectClose } from "../support/check-op.ts";
import { doubleContext } from "../support/contexts.ts";
import { CHOICES, randomIds, TINY, tinyEncoder, tinyModel } from "../support/models.ts";

const B = 2;
const T = 5;
const batch: TokenBatch = { ids: randomIds(B * T, TINY.vocabSize, "inspect", 1), batchSize: B };

async function read(tensors: readonly Tensor[]): Promise<number[][]> {
  return Promise.all(tensors.map(async (tensor) => Array.from(await tensor.read())));
}

/** Attention weights, residual streams and logits as numbers. */
function activationsOf(model: GPT | Encoder, tokens: TokenBatch) {
  return model.context.scope("no-grad", async () => {
    const { embedded, blocks, logits } = inspect(model, tokens);
    return {
      embedded: Array.from(await embedded.read()),
      attention: await read(blocks.map(({ attention }) => attention)),
      residual: await read(blocks.map(({ residual }) => residual)),
      logits: Array.from(await logits.read()),
    };
  });
}

/** The stream after each block, given its attention weights: x + Σ_s weight(t, s)·value(s)·W_O, and the MLP's part. */
function streamsBy(model: GPT | Encoder, attention: readonly number[][], inputs: readonly number[][]) {
  const { context, config } = model;
  const { heads, dModel: C } = config;
  const D = config.headSize || C / heads;
  const group = heads / (config.kvHeads || heads);
  const width = heads * D;
  const streams = model.transformer.blocks.map(async (block, layer) => {
    const x = context.constant([B, T, C], inputs[layer]);
    const values = await block.attention.keysAndValues(block.attentionNorm.forward(x)).values.read();
    const mixed = Array.from({ length: B * T * width }, (_, i) => {
      const [b, t, h, d] = [
        Math.floor(i / (T * width)),
        Math.floor(i / width) % T,
        Math.floor((i % width) / D),
        i % D,
      ];
      const row = ((b * heads + h) * T + t) * T;
      const value = Math.floor(h / group) * D + d;
      return Array.from(
        { length: T },
        (_, s) => attention[layer][row + s] * values[(b * T + s) * (width / group) + value],
      ).reduce((sum, term) => sum + term);
    });
    const middle = add(x, block.attention.output.forward(context.constant([B, T, width], mixed)));
    return add(middle, block.mlp.forward(block.mlpNorm.forward(middle), { random: null }));
  });
  return Promise.all(streams).then(read);
}

async function checkActivations(model: GPT | Encoder, seesRight: boolean) {
  const { attention, embedded, residual, logits } = await activationsOf(model, batch);
  expect(logits).toEqual(
    await model.context.scope("no-grad", async () => Array.from(await model.forward(batch).read())),
  );
  for (const weights of attention) {
    expect(weights).toHaveLength(B * model.config.heads * T * T);
    for (let row = 0; row < weights.length / T; row++) {
      const own = weights.slice(row * T, (row + 1) * T);
      expect(own.reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 12);
      expect(own.slice((row % T) + 1).every((weight) => (seesRight ? weight > 0 : weight === 0))).toBe(true);
    }
  }
  const inputs = [embedded, ...residual.slice(0, -1)];
  const expected = await model.context.scope("no-grad", () => streamsBy(model, attention, inputs));
  residual.forEach((stream, layer) => {
    expectClose(stream, expected[layer], 1e-10, `stream after block ${layer}`);
  });
}

describe("the weights explain the stream", () => {
  test.each([{}, ...CHOICES])("of a GPT with %j", (changes) => {
    return checkActivations(
      tinyModel(doubleContext(), { ...changes, attention: "fused", dModel: 12 }),
      false,
    );
  });

  test("of an encoder", () => checkActivations(tinyEncoder(doubleContext(), { attention: "fused" }), true));
});

/** (B, H, T, D) numbers as `[b·H + h][t]`, rows of D numbers. */
function rowsByHead(values: readonly number[], columns: number): number[][][] {
  const row = (start: number) => values.slice(start, start + columns);
  return Array.from({ length: values.length / (T * columns) }, (_, bh) =>
    Array.from({ length: T }, (_, t) => row((bh * T + t) * columns)),
  );
}

test.each([{}, ...CHOICES])(
  "scores, mask and weights follow from queries and keys with %j",
  async (changes) => {
    const model = tinyModel(doubleContext(), { ...changes, attention: "fused", dModel: 12 });
    const { heads, headSize } = model.config;
    const D = headSize || 12 / heads;
    await model.context.scope("no-grad", async () => {
      for (const { queries, keys, values, scores, mask, attention } of inspect(model, batch).blocks) {
        for (const tensor of [queries, keys, values]) expect(tensor.shape).toEqual([B, heads, T, D]);
        expect([scores.shape, attention.shape]).toEqual([
          [B, heads, T, T],
          [B, heads, T, T],
        ]);
        expect(mask.shape).toEqual([T, T]);
        const [q, k] = (await read([queries, keys])).map((numbers) => rowsByHead(numbers, D));
        const [s, a] = (await read([scores, attention])).map((numbers) => rowsByHead(numbers, T));
        const [m] = rowsByHead((await read([mask]))[0], T);
        q.forEach((head, h) => {
          head.forEach((query, t) => {
            const expected = k[h].map(
              (key) => key.reduce((sum, number, d) => sum + number * query[d], 0) / Math.sqrt(D),
            );
            expectClose(s[h][t], expected, 1e-12, "scores");
            const powers = s[h][t].map((score, key) => Math.exp(score + m[t][key]));
            const sum = powers.reduce((total, power) => total + power);
            const weights = powers.map((power) => power / sum);
            expectClose(a[h][t], weights, 1e-12, "weights");
          });
        });
      }
    });
  },
);

test("values are those of the layer, head by head", async () => {
  const model = tinyModel(doubleContext());
  const [{ attention, attentionNorm }] = model.transformer.blocks;
  await model.context.scope("no-grad", async () => {
    const { embedded, blocks } = inspect(model, batch);
    const joined = await attention.keysAndValues(attentionNorm.forward(embedded)).values.read();
    const [{ values }] = blocks;
    const split = rowsByHead(Array.from(await values.read()), 2);
    split.forEach((head, bh) => {
      const [b, h] = [Math.floor(bh / TINY.heads), bh % TINY.heads];
      head.forEach((row, t) => {
        const start = (b * T + t) * TINY.dModel + 2 * h;
        expect(row).toEqual(Array.from(joined.slice(start, start + 2)));
      });
    });
  });
});

describe("a wrong mask", () => {
  const switched = (maskMatrix: MaskMatrix | null) => {
    const model = new MaskSwitchGPT(doubleContext(), { ...TINY, attention: "fused" }, Random.of(1, "switch"));
    model.maskMatrix = maskMatrix;
    return model;
  };
  const logitsOf = (model: GPT, options?: InspectOptions) =>
    model.context.scope("no-grad", async () =>
      Array.from(await inspect(model, batch, options).logits.read()),
    );
  const forward = (model: GPT) =>
    model.context.scope("no-grad", async () => Array.from(await model.forward(batch).read()));

  test.each([null, showAll, showNext])("of a model is the one that is inspected: %s", async (maskMatrix) => {
    const model = switched(maskMatrix);
    expect(await logitsOf(model)).toEqual(await forward(model));
    await model.context.scope("no-grad", async () => {
      const [{ mask, attention }] = inspect(model, batch).blocks;
      const expected = Array.from((maskMatrix ?? causalMask)(T, T));
      expect(Array.from(await mask.read())).toEqual(expected);
      const weights = Array.from(await attention.read());
      weights.forEach((weight, i) => {
        expect(weight > 0).toBe(expected[i % (T * T)] === 0);
      });
    });
  });

  test("given in the options replaces the model's, and null restores it", async () => {
    const plain = switched(null);
    expect(await logitsOf(plain, { maskMatrix: showAll })).toEqual(await forward(switched(showAll)));
    expect(await logitsOf(switched(showAll), { maskMatrix: null })).toEqual(await forward(plain));
    expect(await logitsOf(plain, { maskMatrix: showAll })).not.toEqual(await forward(plain));
  });
});

test("a padded row has the weights of the same row alone", async () => {
  const model = tinyModel(doubleContext());
  const [long, short] = [randomIds(T, TINY.vocabSize, "long"), randomIds(2, TINY.vocabSize, "short")];
  const alone = await activationsOf(model, { ids: short, batchSize: 1 });
  const both = await activationsOf(model, padTokens([long, short], "right"));
  alone.attention.forEach((weights, layer) => {
    const first = TINY.heads * T * T;
    const head = both.attention[layer].slice(first, first + T * T);
    expectClose(
      [head[0], head[T], head[T + 1]],
      [weights[0], weights[2], weights[3]],
      1e-12,
      `layer ${layer}`,
    );
  });
});

test("a sequence longer than the context is an error", async () => {
  const model = tinyModel(doubleContext());
  const ids = randomIds(TINY.contextLength + 1, TINY.vocabSize, "long");
  await expect(activationsOf(model, { ids, batchSize: 1 })).rejects.toThrow(ShapeError);
});
