/** The numbers in the lesson are the model's own. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { numbersOf } from "../../src/backend/reference/buffer.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { ConfigError } from "../../src/errors.ts";
import { type MaskLesson, type Matrix, teachMask } from "../../src/lesson/mask.ts";
import { doubleContext, withKernels } from "../support/contexts.ts";
import { randomIds, tinyModel } from "../support/models.ts";

const ids = randomIds(5, 11, "lesson");
/** Options that act between the projections and the scores. */
const CHANGES = { bigram: true, positions: "rotary", qkNorm: true } as const;

/** The fused kernel's attention output (T, C) of each layer in a forward pass of the whole model. */
async function attentionOutputs(): Promise<Float64Array[]> {
  const inner = new ReferenceBackend("double");
  const outputs: Float64Array[] = [];
  const spy = withKernels(inner, {
    attention: (y, ...rest) => {
      inner.attention(y, ...rest);
      outputs.push(Float64Array.from(numbersOf(y.buffer)));
    },
  });
  const model = tinyModel(new Context(spy), { ...CHANGES, attention: "fused" });
  await model.context.scope("no-grad", () => model.forward({ ids, batchSize: 1 }).read());
  return outputs;
}

const places = [0, 1].flatMap((layer) => [0, 1, 2].map((head) => ({ layer, head })));

describe.each(places)("layer $layer, head $head", ({ layer, head }) => {
  const lessonOf = (): Promise<MaskLesson> =>
    teachMask(tinyModel(doubleContext(), CHANGES), ids, { layer, head });
  const close = (a: Matrix, b: Matrix) =>
    a.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(b[i][j], 12);
      });
    });

  test("has the attention output of the model's forward pass", async () => {
    const { output, fused, headSize } = await lessonOf();
    expect([output.length, headSize]).toEqual([5, 2]);
    const whole = (await attentionOutputs())[layer];
    const expected = ids.map((_, t) => Array.from(whole.subarray(t * 6 + head * 2, t * 6 + head * 2 + 2)));
    close(output, expected);
    close(fused, expected);
  });

  test("masks later positions and turns the rest into weights", async () => {
    const { scores, mask, masked, weights, weightsWithoutMask } = await lessonOf();
    const softmax = (row: readonly number[]) => {
      const powers = row.map((score) => Math.exp(score));
      return powers.map((power) => power / powers.reduce((sum, each) => sum + each, 0));
    };
    scores.forEach((row, t) => {
      expect(mask[t]).toEqual(row.map((_, s) => (s <= t ? 0 : Number.NEGATIVE_INFINITY)));
      expect(masked[t]).toEqual(row.map((score, s) => (s <= t ? score : Number.NEGATIVE_INFINITY)));
      expect(weights[t].slice(t + 1)).toEqual(new Array(4 - t).fill(0));
    });
    close(weights, masked.map(softmax));
    close(weightsWithoutMask, scores.map(softmax));
  });
});

test("rejects layers and heads that do not exist", async () => {
  const model = tinyModel(doubleContext());
  const layer = "`layer` must be in 0 … 1 for this model: got 2";
  await expect(teachMask(model, ids, { layer: 2, head: 0 })).rejects.toThrow(new ConfigError(layer));
  const head = "`head` must be in 0 … 2 for this model: got 0.5";
  await expect(teachMask(model, ids, { layer: 0, head: 0.5 })).rejects.toThrow(new ConfigError(head));
});
