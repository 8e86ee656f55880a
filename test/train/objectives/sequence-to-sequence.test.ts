import { describe, expect, it } from "vitest";
import { rowsOf } from "../../../src/nn/inputs/token-batch.ts";
import { IGNORED } from "../../../src/ops/cross-entropy.ts";
import { Random } from "../../../src/random.ts";
import { pairBatch, SequenceToSequence } from "../../../src/train/objectives/sequence-to-sequence.ts";
import { ToyTask } from "../../../src/train/objectives/toy-task.ts";
import { doubleContext } from "../../support/contexts.ts";
import { tinySeq2Seq } from "../../support/models.ts";

const [END, START] = [11, 12];
const settings = { task: "reverse", alphabetSize: 11, minLength: 2, maxLength: 6, seed: 3 } as const;
const task = new ToyTask(settings);

describe("pairBatch", () => {
  it("builds the encoder's input, the decoder's input and the targets", () => {
    const examples = [
      { source: [1, 0, 3], answer: [3, 0, 1] },
      { source: [5], answer: [5] },
    ];
    const { source, inputs, targets, targetCount } = pairBatch(examples, { startId: START, endId: END });
    expect(Array.from(source.ids)).toEqual([1, 0, 3, 5, 0, 0]);
    expect(rowsOf(source)).toEqual({ starts: [0, 0], ends: [3, 1] });
    expect(Array.from(inputs.ids)).toEqual([START, 3, 0, 1, START, 5, 0, 0]);
    expect(rowsOf(inputs)).toEqual({ starts: [0, 0], ends: [4, 2] });
    expect(Array.from(targets)).toEqual([3, 0, 1, END, 5, END, IGNORED, IGNORED]);
    expect(targetCount).toBe(6);
  });
});

describe("SequenceToSequence", () => {
  const model = tinySeq2Seq(doubleContext());
  const objective = new SequenceToSequence(model, task, 5);

  it("determines a batch of training strings from seed, step and part alone", () => {
    const again = new SequenceToSequence(model, task, 5);
    again.batch(1, 0);
    expect(again.batch(5, 2)).toEqual(objective.batch(5, 2));
    for (const other of [
      objective.batch(5, 1),
      objective.batch(6, 2),
      objective.batch(2, 5),
      new SequenceToSequence(model, new ToyTask({ ...settings, seed: 4 }), 5).batch(5, 2),
    ]) {
      expect(other).not.toEqual(objective.batch(5, 2));
    }
    const lengths = new Set<number>();
    for (let step = 0; step < 40; step++) {
      const { source } = objective.batch(step, 0);
      const { ends } = rowsOf(source);
      const positions = source.ids.length / 5;
      ends.forEach((end, b) => {
        lengths.add(end);
        const row = Array.from(source.ids).slice(b * positions, b * positions + end);
        expect(task.isHeldOut(row), row.join()).toBe(false);
      });
    }
    expect([...lengths].sort()).toEqual([2, 3, 4, 5, 6]);
    // On average: [start] and an answer of 2 to 6 letters.
    expect(objective.tokensPerBatch).toBe(25);
  });

  it("averages the loss over the tokens of each answer and its end", async () => {
    const { source, inputs, targets, targetCount } = objective.batch(3, 1);
    await model.context.scope("no-grad", async () => {
      const logits = await model.forward(source, inputs).read();
      let nats = 0;
      targets.forEach((target, i) => {
        if (target === IGNORED) return;
        const row = Array.from(logits.subarray(i * 12, (i + 1) * 12));
        nats += Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[target];
      });
      expect(targets.filter((target) => target === END)).toHaveLength(5);
      expect(await objective.loss(3, 1, Random.of(1)).item()).toBeCloseTo(nats / targetCount, 12);
    });
  });
});
