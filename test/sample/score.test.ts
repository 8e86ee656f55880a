import { expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { SampleError, TokenError } from "../../src/errors.ts";
import { fullLogits } from "../../src/sample/logits.ts";
import { scoreSequences } from "../../src/sample/score.ts";
import { backends } from "../support/backends.ts";
import { tinyModel as modelOn, randomIds } from "../support/models.ts";
import { CountingBackend, TINY, tinyModel } from "./tiny-model.ts";

const { vocabSize, contextLength } = TINY;
const sequences = [5, 1, 11, 2, 7].map((length, i) => randomIds(length, vocabSize, "score", i));

test("each token has its log-probability given the tokens before it", async () => {
  const model = tinyModel();
  const scores = await scoreSequences(model, sequences);
  for (const [i, ids] of sequences.entries()) {
    const logits = await fullLogits(model, ids);
    const expected = ids.slice(1).map((id, t) => {
      const powers = logits.slice(t * vocabSize, (t + 1) * vocabSize).map(Math.exp);
      return Math.log(powers[id] / powers.reduce((sum, power) => sum + power));
    });
    expect(scores[i].logProbabilities.length).toBe(expected.length);
    expected.forEach((value, t) => {
      expect(scores[i].logProbabilities[t]).toBeCloseTo(value, 10);
    });
    expect(scores[i].total).toBeCloseTo(
      expected.reduce((sum, value) => sum + value, 0),
      10,
    );
  }
});

test.each(backends)("on %s, a sequence in a batch has the same bits as alone", async (_, open) => {
  const model = modelOn(new Context(await open()), { vocabSize, contextLength, attention: "fused" });
  const together = await scoreSequences(model, sequences);
  for (const [i, ids] of sequences.entries()) {
    expect(together[i]).toEqual((await scoreSequences(model, [ids]))[0]);
  }
});

test("returns no scores for no sequences, and frees its memory", async () => {
  const backend = new CountingBackend("double");
  const model = tinyModel({}, backend);
  const before = backend.buffers;
  expect(await scoreSequences(model, [])).toEqual([]);
  await scoreSequences(model, sequences);
  expect(backend.buffers).toBe(before);
});

test("rejects sequences that the model cannot process", async () => {
  const model = tinyModel();
  const sees = "score: the model sees 1 to 11 tokens at a time: sequence";
  await expect(scoreSequences(model, [[1], []])).rejects.toThrow(new SampleError(`${sees} 1 has 0`));
  await expect(scoreSequences(model, [new Array(12).fill(0)])).rejects.toThrow(
    new SampleError(`${sees} 0 has 12`),
  );
  await expect(scoreSequences(model, [[1, 13]])).rejects.toThrow(TokenError);
});
