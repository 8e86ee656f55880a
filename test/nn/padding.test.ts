/**
 * Padding changes nothing: logits, loss and gradients of a sequence have the same bits alone and in any padded batch,
 * on each backend, with both forms of attention, with and without a cache.
 */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import type { GPT } from "../../src/nn/gpt.ts";
import { padLike, padTokens, rowsOf, type TokenBatch } from "../../src/nn/inputs/token-batch.ts";
import { crossEntropy, IGNORED } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../support/backends.ts";
import { CHOICES, randomIds, tinyModel } from "../support/models.ts";
import { sameBits } from "../support/verify.ts";

const VOCAB = 11;
/** Every option differs from GPT-2's. */
const ALL = { ...CHOICES.find(({ bigram }) => bigram) };
/** Rows of different lengths; one is empty, so all padding, and two have equal lengths. */
const rows = [5, 2, 0, 7, 2].map((length, b) => randomIds(length, VOCAB, "padding", b));

/** The same rows with padding on both sides, filled with different ids. */
function padOnBothSides(): TokenBatch {
  const positions = 10;
  const random = Random.of(3, "padding on both sides");
  const starts = rows.map((row) => random.below(positions - row.length + 1));
  const ids = rows.flatMap((row, b) => {
    const filler = randomIds(positions, VOCAB, "filler", b);
    return [...filler.slice(0, starts[b]), ...row, ...filler.slice(starts[b] + row.length)];
  });
  return {
    ids,
    batchSize: rows.length,
    padding: { starts, ends: rows.map((row, b) => starts[b] + row.length) },
  };
}

const layouts: [string, TokenBatch][] = [
  ["on the right", padTokens(rows, "right")],
  ["on the left", padTokens(rows, "left")],
  ["on both sides, with any ids", padOnBothSides()],
];

/** The logits at each row's tokens, without padding. */
async function ownLogits(model: GPT, tokens: TokenBatch): Promise<number[][]> {
  const { starts, ends } = rowsOf(tokens);
  const values = Array.from(await model.context.scope("no-grad", () => model.forward(tokens).read()));
  const rowSize = values.length / tokens.batchSize;
  return starts.map((start, b) => values.slice(b * rowSize + start * VOCAB, b * rowSize + ends[b] * VOCAB));
}

/** Loss and gradients if only tokens of the `counted` rows are targets. */
async function learn(model: GPT, tokens: TokenBatch, counted: (row: number) => boolean, targets: number[][]) {
  for (const { storage } of Object.values(model.parameters())) storage.clearGradient();
  const laid = padLike(
    tokens,
    targets.map((row, b) => row.map((id) => (counted(b) ? id : IGNORED))),
    IGNORED,
  );
  const loss = await model.context.scope("grad", () => {
    const root = crossEntropy(model.forward(tokens), laid);
    model.context.backward(root);
    return root.item();
  });
  const gradients = Object.values(model.parameters()).map((tensor) => tensor.grad());
  return { loss, gradients: (await Promise.all(gradients)).map((gradient) => Array.from(gradient)) };
}

/** −0 equals 0: padding may add +0 to a gradient. */
const plain = (numbers: readonly number[]) => numbers.map((x) => x + 0);

describe.each(backends)("on %s", (_, open) => {
  describe.each(["textbook", "fused"] as const)("with %s attention", (attention) => {
    const modelOf = async (changes: Partial<GPTConfig>) =>
      tinyModel(new Context(await open()), { attention, vocabSize: VOCAB, ...changes }, "padding");

    describe.each(layouts)("padding %s", (_, tokens) => {
      test.each([{}, { bigram: true, tieHead: false, heads: 2 }, ...CHOICES])(
        "logits, with %j",
        async (changes) => {
          const model = await modelOf(changes);
          const padded = await ownLogits(model, tokens);
          for (const [b, row] of rows.entries()) {
            if (row.length === 0) continue;
            const [alone] = await ownLogits(model, { ids: row, batchSize: 1 });
            expect(sameBits(padded[b], alone), `row ${b}`).toBe(true);
          }
        },
      );

      test.each([{ bigram: true }, ALL])(
        "the loss of a row, and every gradient, with %j",
        async (changes) => {
          const model = await modelOf(changes);
          const targets = rows.map((row, b) => randomIds(row.length, VOCAB, "targets", b));
          for (const [b, row] of rows.entries()) {
            if (row.length === 0) continue;
            const among = await learn(model, tokens, (counted) => counted === b, targets);
            const alone = await learn(model, { ids: row, batchSize: 1 }, () => true, [targets[b]]);
            expect(among.loss, `loss of row ${b}`).toBe(alone.loss);
            Object.keys(model.parameters()).forEach((name, i) => {
              const [padded, single] = [among, alone].map(({ gradients }) => plain(gradients[i]));
              expect(sameBits(padded, single), `${name}, row ${b}`).toBe(true);
            });
          }
        },
      );
    });

    test.each([{ bigram: true }, { positions: "rotary" as const }, ALL])(
      "rows of a cache grow by their own tokens, to the bits of the row alone, with %j",
      async (changes) => {
        const model = await modelOf(changes);
        const cache = model.makeCache(rows.length);
        const read = rows.map(() => 0);
        const random = Random.of(4, "parts");
        while (read.some((count, b) => count < rows[b].length)) {
          const parts = rows.map((row, b) => row.slice(read[b], read[b] + random.below(4)));
          const tokens = padTokens(parts, random.below(2) === 0 ? "left" : "right");
          const { starts, ends } = rowsOf(tokens);
          const pass = { cache, random: null };
          const logits = await model.context.scope("no-grad", () => model.forward(tokens, pass).read());
          for (const [b, row] of rows.entries()) {
            if (parts[b].length === 0) continue;
            const [alone] = await ownLogits(model, { ids: row, batchSize: 1 });
            const at = (b * logits.length) / rows.length;
            const own = Array.from(logits.slice(at + starts[b] * VOCAB, at + ends[b] * VOCAB));
            const expected = alone.slice(read[b] * VOCAB, (read[b] + parts[b].length) * VOCAB);
            expect(sameBits(own, expected), `row ${b}`).toBe(true);
            read[b] += parts[b].length;
          }
        }
        expect(cache.lengths).toEqual(rows.map((row) => row.length));
      },
    );

    test("a batch that is all padding yields no NaN", async () => {
      const model = await modelOf({});
      const tokens = { ids: [0, 0, 0, 0], batchSize: 2, padding: { starts: [0, 2], ends: [0, 2] } };
      const { loss, gradients } = await learn(model, tokens, () => true, [[], []]);
      expect(loss).toBe(0);
      for (const value of gradients.flat()) expect(value + 0).toBe(0);
    });
  });
});
