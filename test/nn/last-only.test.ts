/**
 * `lastOnly`: the last position has the same bits alone as among all positions, although the last block then computes
 * its MLP, and what follows, for that position only.
 */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { openBackend } from "../../src/backend/open.ts";
import type { GPTConfig, ModelConfig } from "../../src/nn/config.ts";
import type { GPT } from "../../src/nn/gpt.ts";
import { type ForwardOptions, INFERENCE } from "../../src/nn/inputs/forward-options.ts";
import { padTokens, type TokenBatch } from "../../src/nn/inputs/token-batch.ts";
import type { MaskMatrix } from "../../src/nn/layers/textbook-attention.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
import { slice } from "../../src/ops/slice.ts";
import { backends } from "../support/backends.ts";
import { ifBlas, noBlas } from "../support/blas.ts";
import { expectClose } from "../support/check-op.ts";
import { doubleContext, withKernels } from "../support/contexts.ts";
import { CHOICES, randomIds, tinyModel, tinySeq2Seq } from "../support/models.ts";
import { ifNative, noNative, openNative } from "../support/native.ts";

const VOCAB = 11;
const batchOf = (...lengths: number[]) => {
  const rows = lengths.map((length, b) => randomIds(length, VOCAB, "last", b));
  return padTokens(rows, "left");
};

const batches: readonly TokenBatch[] = [
  batchOf(37),
  batchOf(19, 19, 19),
  // Padded on the left.
  batchOf(29, 1, 13),
  batchOf(1, 1),
];
const variants = [{}, ...CHOICES].flatMap((choice) =>
  (["textbook", "fused"] as const).map((attention) => ({ ...choice, attention })),
);

function modelOn(context: Context, changes: Partial<GPTConfig> = {}): GPT {
  return tinyModel(context, { contextLength: 67, ...changes });
}

/** The logits of the last position of (B, T, V). */
function lastOf(logits: Tensor): Tensor {
  const positions = logits.shape[1];
  return slice(logits, 1, positions - 1, positions);
}

type Pass = (which: { readonly lastOnly: boolean }) => Tensor;

/** The last logits of a pass: computed alone, and among those of all positions. */
async function bothWays(context: Context, pass: Pass): Promise<[alone: number[], among: number[]]> {
  return context.scope("no-grad", async () => {
    const alone = pass({ lastOnly: true });
    expect(alone.shape[1]).toBe(1);
    const among = lastOf(pass({ lastOnly: false }));
    return [Array.from(await alone.read()), Array.from(await among.read())];
  });
}

/** The last logits of these tokens, both ways. */
function lastLogits(model: GPT, tokens: TokenBatch, options: Partial<ForwardOptions> = {}) {
  return bothWays(model.context, (which) => model.forward(tokens, { ...INFERENCE, ...options, ...which }));
}

/** Likewise with a cache that has rows of different lengths, and then the logits of one more token in each row. */
async function cachedLogits(model: GPT, tokens: TokenBatch, options: Partial<ForwardOptions> = {}) {
  const { batchSize } = tokens;
  const caches = [model.makeCache(batchSize), model.makeCache(batchSize)];
  const step = (cache: (typeof caches)[number], lengths: readonly number[]) =>
    model.forward(batchOf(...lengths.slice(0, batchSize)), { ...INFERENCE, ...options, cache });
  const last = await bothWays(model.context, ({ lastOnly }) => {
    const cache = caches[Number(lastOnly)];
    step(cache, [17, 3, 8]);
    return model.forward(tokens, { ...INFERENCE, ...options, cache, lastOnly });
  });
  const next = await model.context.scope("no-grad", () =>
    Promise.all(caches.map(async (cache) => Array.from(await step(cache, [1, 1, 1]).read()))),
  );
  for (const cache of caches) cache.free();
  return { last, next };
}

async function expectSameBits(model: GPT, options: Partial<ForwardOptions> = {}): Promise<void> {
  for (const tokens of batches) {
    const [alone, among] = await lastLogits(model, tokens, options);
    expect(alone).toEqual(among);
    const { last, next } = await cachedLogits(model, tokens, options);
    expect(last[0]).toEqual(last[1]);
    // The cache has the keys and values of every position, not only of the last.
    expect(next[0]).toEqual(next[1]);
  }
}

describe("the last position has the same bits alone", () => {
  describe.each(backends)("%s", (_, open) => {
    test.each(variants)("%j", async (changes) => {
      await expectSameBits(modelOn(new Context(await open()), changes));
    });
  });

  test.skipIf(noNative !== null)(`native, on two threads${ifNative}`, async () => {
    const backend = await openNative(null, 2);
    for (const changes of variants) await expectSameBits(modelOn(new Context(backend), changes));
    await backend.close();
  });

  test.skipIf(noBlas !== null)(`blas, within rounding${ifBlas}`, async () => {
    const backend = await openBackend("blas", 1);
    // Large enough for the library.
    const model = modelOn(new Context(backend), { attention: "fused", dModel: 192, mlpWidth: 768 });
    for (const tokens of batches) {
      const [alone, among] = await lastLogits(model, tokens);
      expectClose(alone, among, 1e-4, "logit");
    }
    await backend.close();
  });

  test("with another mask", async () => {
    const nearest: MaskMatrix = (queries, keys) =>
      Float64Array.from({ length: queries * keys }, (_, i) => {
        const distance = keys - queries + Math.floor(i / keys) - (i % keys);
        return distance >= 0 && distance < 5 ? 0 : Number.NEGATIVE_INFINITY;
      });
    const model = modelOn(doubleContext());
    const tokens = batchOf(37);
    const [alone, among] = await lastLogits(model, tokens, { maskMatrix: nearest });
    expect(alone).toEqual(among);
    expect(alone).not.toEqual((await lastLogits(model, tokens))[0]);
  });

  test.each<Partial<ModelConfig>>([{}, { attention: "fused", positions: "rotary", kvHeads: 1 }])(
    "in an encoder–decoder, with %j",
    async (changes) => {
      const model = tinySeq2Seq(doubleContext(), { contextLength: 31, ...changes });
      const source = padTokens([randomIds(3, VOCAB, "source"), randomIds(17, VOCAB, "source")], "right");
      for (const tokens of [batchOf(13, 13), batchOf(5, 23)]) {
        const [alone, among] = await bothWays(model.context, (which) =>
          model.forward(source, tokens, { ...INFERENCE, ...which }),
        );
        expect(alone).toEqual(among);
      }
    },
  );
});

test.each([false, true])(
  "gradients are those of the last logits, with checkpoints: %j",
  async (checkpointActivations) => {
    const model = modelOn(doubleContext(), {
      attention: "fused",
      positions: "rotary",
      checkpointActivations,
    });
    const tokens = batchOf(7, 13);
    const gradients = async (logits: () => Tensor) => {
      const parameters = Object.values(model.parameters());
      for (const { storage } of parameters) storage.clearGradient();
      await model.context.scope("grad", () => {
        crossEntropy(logits(), [3, 5]).backward();
      });
      return Promise.all(parameters.map((parameter) => parameter.grad()));
    };
    const alone = await gradients(() => model.forward(tokens, { ...INFERENCE, lastOnly: true }));
    const among = await gradients(() => lastOf(model.forward(tokens)));
    alone.forEach((gradient, i) => {
      expectClose(gradient, among[i], 1e-12, `gradient ${i}`);
    });
  },
);

test("the last block computes its MLP, and the head its logits, for one position", async () => {
  const inner = doubleContext().backend;
  const products: string[] = [];
  const backend = withKernels(inner, {
    gemm(c, a, b, size) {
      products.push(`${size.rows}·${size.inner}·${size.columns}`);
      inner.gemm(c, a, b, size);
    },
  });
  const model = modelOn(new Context(backend), { attention: "fused", dModel: 6, headSize: 2, kvHeads: 1 });
  await model.context.noGrad(() => model.forward(batchOf(29), { ...INFERENCE, lastOnly: true }).read());
  const projections = ["29·6·6", "29·6·2", "29·6·2"];
  expect(products).toEqual([
    ...[...projections, "29·6·6", "29·6·24", "29·24·6"],
    ...[...projections, "1·6·6", "1·6·24", "1·24·6"],
    "1·6·11",
  ]);
});
