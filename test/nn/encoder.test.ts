/** The encoder against plain numbers, its gradients, and its manners. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ConfigError, ShapeError, TokenError } from "../../src/errors.ts";
import type { ModelConfig } from "../../src/nn/config.ts";
import { Encoder } from "../../src/nn/encoder.ts";
import { padLike, padTokens, rowsOf } from "../../src/nn/inputs/token-batch.ts";
import { crossEntropy, IGNORED } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../support/backends.ts";
import { expectClose } from "../support/check-op.ts";
import { doubleContext } from "../support/contexts.ts";
import { expectAllReached, gradientError } from "../support/gradient-check.ts";
import { randomIds, TINY, tinyEncoder } from "../support/models.ts";
import { parametersOf, textbookEncoder } from "../support/textbook-gpt.ts";
import { sameBits } from "../support/verify.ts";

const { vocabSize: V, dModel: C, contextLength: T } = TINY;
/** Unequal rows; [MASK] (id V) stands among the others. */
const rows = [5, 2, 7].map((length, b) => randomIds(length, V + 1, "encoder", b));
rows[0][3] = V;

const variants: Partial<ModelConfig>[] = [
  {},
  { attention: "fused", heads: 2, tieHead: false },
  { attention: "fused", activation: "gelu-tanh", bias: false, layers: 1 },
  { positions: "rotary", norm: "rms", qkNorm: true, activation: "swiglu" },
];

async function ownLogits(model: Encoder, tokens: ReturnType<typeof padTokens>): Promise<number[][]> {
  const { starts, ends } = rowsOf(tokens);
  const values = Array.from(await model.context.scope("no-grad", () => model.forward(tokens).read()));
  const rowSize = values.length / tokens.batchSize;
  return starts.map((start, b) => values.slice(b * rowSize + start * V, b * rowSize + ends[b] * V));
}

test.each(variants)("forward is the textbook's, with %j", async (changes) => {
  const model = tinyEncoder(doubleContext(), changes);
  const parameters = await parametersOf(model);
  for (const row of rows) {
    const [logits] = await ownLogits(model, { ids: row, batchSize: 1 });
    expectClose(logits, textbookEncoder(model.config, parameters, row).flat(), 1e-10, "logit");
  }
});

/** Sizes for which every number can be nudged. */
const SMALL: Partial<ModelConfig> = { layers: 1, heads: 1, dModel: 3 };

test.each<Partial<ModelConfig>>([
  {},
  { attention: "fused", heads: 3, tieHead: false },
  { attention: "fused", activation: "gelu-tanh", bias: false },
  { attention: "fused", dropout: 0.2 },
  { dModel: 4, bias: false, positions: "rotary", norm: "rms", qkNorm: true, activation: "swiglu" },
])("every parameter's gradient is the derivative of the loss, with %j", async (changes) => {
  const model = tinyEncoder(doubleContext(), { ...SMALL, ...changes }, "slopes");
  const tokens = padTokens([rows[0], rows[1]], "left");
  const targets = padLike(
    tokens,
    [
      [1, IGNORED, 4, 0, IGNORED],
      [IGNORED, 9],
    ],
    IGNORED,
  );
  const loss = () => crossEntropy(model.forward(tokens, { random: Random.of(17, "dropout") }), targets);
  const { worst, where } = await gradientError(model.context, model.parameters(), loss);
  expect(worst, where).toBeLessThan(1e-6);
  await expectAllReached(model.parameters(), "key.bias");
});

describe.each(backends)("on %s", (_, open) => {
  test.each([
    ["textbook", "left"],
    ["textbook", "right"],
    ["fused", "left"],
    ["fused", "right"],
  ] as const)("with %s attention, padding on the %s changes no bit", async (attention, side) => {
    const model = tinyEncoder(new Context(await open()), { attention }, "padding");
    const padded = await ownLogits(model, padTokens([...rows, []], side));
    for (const [b, row] of rows.entries()) {
      const [alone] = await ownLogits(model, { ids: row, batchSize: 1 });
      expect(sameBits(padded[b], alone), `row ${b}`).toBe(true);
    }
  });
});

test("parameters have these names and shapes: a row more than there are tokens, which is never an answer", () => {
  const shapes = (tieHead: boolean) =>
    Object.entries(
      new Encoder(doubleContext(), { ...TINY, tieHead, layers: 1, bias: false }, Random.of(1)).parameters(),
    ).map(([name, { shape }]) => `${name} ${shape}`);
  const tied = [
    `tokenEmbedding ${V + 1},${C}`,
    `positionEmbedding ${T},${C}`,
    `blocks.0.attentionNorm.weight ${C}`,
    ...["query", "key", "value", "output"].map((part) => `blocks.0.attention.${part}.weight ${C},${C}`),
    `blocks.0.mlpNorm.weight ${C}`,
    `blocks.0.mlp.up.weight ${C},${4 * C}`,
    `blocks.0.mlp.down.weight ${4 * C},${C}`,
    `finalNorm.weight ${C}`,
  ];
  expect(shapes(true)).toEqual(tied);
  expect(shapes(false)).toEqual([...tied, `head.weight ${C},${V}`]);
});

test("refuses what it cannot read", async () => {
  const model = tinyEncoder(doubleContext());
  await model.context.scope("no-grad", () => {
    const run =
      (ids: number[], batchSize = 1) =>
      () =>
        model.forward({ ids, batchSize });
    expect(run(new Array(8).fill(0))).toThrow(ShapeError);
    expect(run(new Array(8).fill(0))).toThrow("encoder: sequences may be 7 tokens long: got 8 ids in 1 rows");
    expect(run([0, 0, 0], 2)).toThrow(ShapeError);
    expect(run([V + 1])).toThrow(TokenError);
    expect(model.forward({ ids: [V], batchSize: 1 }).shape).toEqual([1, 1, V]);
  });
  expect(() => tinyEncoder(doubleContext(), { heads: 4 })).toThrow(ConfigError);
});
