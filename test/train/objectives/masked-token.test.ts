import { describe, expect, it } from "vitest";
import { Encoder } from "../../../src/nn/encoder.ts";
import { crossEntropy, IGNORED } from "../../../src/ops/cross-entropy.ts";
import { Random } from "../../../src/random.ts";
import { MaskedToken, maskTokens } from "../../../src/train/objectives/masked-token.ts";
import { follows } from "../../sample/chi-squared.ts";
import { doubleContext } from "../../support/contexts.ts";
import { TINY } from "../../support/models.ts";

const V = 7;
const MASK = V;

/** Windows whose position t in each row has id t modulo V. */
const windowsOf = (batchSize: number, positions: number) =>
  Int32Array.from({ length: batchSize * positions }, (_, i) => (i % positions) % V);

describe("maskTokens", () => {
  it.each([
    [1, 1],
    [2, 1],
    [9, 1],
    [10, 2],
    [13, 2],
    [20, 3],
    [64, 10],
    [101, 15],
  ])("of %i positions chooses %i in every window: 15 %% rounded, at least one", (positions, each) => {
    const windows = windowsOf(11, positions);
    const { inputs, targets, chosen } = maskTokens(
      windows,
      { batchSize: 11, vocabSize: V },
      Random.of(positions),
    );
    expect(chosen).toBe(11 * each);
    for (let row = 0; row < 11; row++) {
      const [shown, asked, true_] = [inputs, targets, windows].map((all) =>
        all.subarray(row * positions, (row + 1) * positions),
      );
      expect(asked.filter((target) => target !== IGNORED)).toHaveLength(each);
      asked.forEach((target, t) => {
        if (target === IGNORED) expect(shown[t], "positions without a target are unchanged").toBe(true_[t]);
        else expect(target, "a target is the true token").toBe(true_[t]);
      });
    }
  });

  it("shows [MASK] at 80% of them, a random token at 10%, and the true token at 10%", () => {
    const random = Random.of(5, "proportions");
    const masked = { mask: 0, same: 0, other: new Array<number>(V).fill(0) };
    let draws = 0;
    for (let round = 0; round < 400; round++) {
      // All tokens of the text are 3.
      const windows = new Int32Array(5 * 40).fill(3);
      const { inputs, targets } = maskTokens(windows, { batchSize: 5, vocabSize: V }, random);
      targets.forEach((target, i) => {
        if (target === IGNORED) return;
        draws++;
        if (inputs[i] === MASK) masked.mask++;
        else if (inputs[i] === 3) masked.same++;
        else masked.other[inputs[i]]++;
      });
    }
    expect(draws).toBe(400 * 5 * 6);
    // The random token is the true token once in V draws.
    const others = masked.other.filter((_, id) => id !== 3);
    const counts = [masked.mask, masked.same, ...others];
    expect(follows(counts, [0.8, 0.1 + 0.1 / V, ...others.map(() => 0.1 / V)])).toBe(true);
    // Negative control: other plausible fractions do not fit.
    expect(follows(counts, [0.8, 0.1, ...others.map(() => 0.1 / (V - 1))])).toBe(false);
    expect(follows(counts, [0.78, 0.12, ...others.map(() => 0.1 / (V - 1))])).toBe(false);
  });

  it("chooses every position, and every pair of positions, equally often", () => {
    const positions = 12;
    const random = Random.of(6, "positions");
    const [counts, pairs] = [new Array<number>(positions).fill(0), new Map<string, number>()];
    for (let round = 0; round < 6000; round++) {
      const { targets } = maskTokens(new Int32Array(positions), { batchSize: 1, vocabSize: V }, random);
      const places = Array.from(targets.keys()).filter((t) => targets[t] !== IGNORED);
      for (const t of places) counts[t]++;
      pairs.set(places.join(), (pairs.get(places.join()) ?? 0) + 1);
    }
    expect(
      follows(
        counts,
        counts.map(() => 1 / positions),
      ),
    ).toBe(true);
    // 66 pairs, 91 times each with a standard deviation of 9.5.
    expect(pairs.size).toBe((positions * (positions - 1)) / 2);
    for (const count of pairs.values()) expect(Math.abs(count - 6000 / 66)).toBeLessThan(48);
  });
});

describe("MaskedToken", () => {
  const ids = Int32Array.from({ length: 211 }, (_, i) => (i * i + 3) % V);
  const size = { contextLength: 7, batchSize: 3, seed: 4 };
  const model = new Encoder(doubleContext(), { ...TINY, vocabSize: V }, Random.of(1));
  const objective = new MaskedToken(model, ids, size);

  it("determines a batch from seed, step and part alone", () => {
    const again = new MaskedToken(model, ids, size);
    again.batch(1, 0);
    expect(again.batch(5, 2)).toEqual(objective.batch(5, 2));
    const others = [
      objective.batch(5, 1),
      objective.batch(6, 2),
      objective.batch(2, 5),
      new MaskedToken(model, ids, { ...size, seed: 5 }).batch(5, 2),
    ];
    for (const other of others) expect(other).not.toEqual(objective.batch(5, 2));
    // Both the windows and their masks differ.
    const places = ({ targets }: { targets: Int32Array }) =>
      Array.from(targets, (id) => id === IGNORED).join();
    const hidden = new Set(Array.from({ length: 20 }, (_, step) => places(objective.batch(step, 0))));
    expect(hidden.size).toBeGreaterThan(15);
  });

  it("computes the loss at masked positions only", async () => {
    expect(objective.tokensPerBatch).toBe(21);
    const { inputs, targets, chosen } = objective.batch(3, 0);
    expect(chosen).toBe(3);
    const [loss, byHand] = await model.context.scope("no-grad", async () => {
      const logits = await model.forward({ ids: inputs, batchSize: 3 }).read();
      let nats = 0;
      targets.forEach((target, i) => {
        if (target === IGNORED) return;
        const row = Array.from(logits.subarray(i * V, (i + 1) * V));
        nats += Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[target];
      });
      const plain = crossEntropy(model.forward({ ids: inputs, batchSize: 3 }), targets);
      expect(await objective.loss(3, 0, Random.of(1)).item()).toBe(await plain.item());
      return [await plain.item(), nats / chosen];
    });
    expect(loss).toBeCloseTo(byHand, 12);
  });
});
