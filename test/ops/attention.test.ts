import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import type { Buffer, KeyRange } from "../../src/backend/backend.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { ShapeError, TensorError } from "../../src/errors.ts";
import { type AttentionOptions, attention } from "../../src/ops/attention.ts";
import { dropout } from "../../src/ops/dropout.ts";
import { sum } from "../../src/ops/sum.ts";
import { Random } from "../../src/random.ts";
import { backends } from "../support/backends.ts";
import { Block, sumOver } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { doubleContext, inScope, withKernels } from "../support/contexts.ts";

/** The factor for the weight of (row, head, query, key) after the softmax. */
type Factor = (b: number, h: number, t: number, s: number) => number;

/** y[b, t, hD+d] = Σ_s softmax(⟨q[b, t, head], k[b, s, head]⟩ / √D)[s]·v[b, s, hD+d] over visible s. */
function textbookAttention(
  [q, k, v]: readonly Block[],
  { heads, mask, keyCount }: AttentionOptions,
  factor: Factor = () => 1,
): Block {
  const [, queries, channels] = q.shape;
  const keys = keyCount ?? k.shape[1];
  const width = channels / heads;
  const group = channels / k.shape[2];
  return Block.build(q.shape, (b, t, c) => {
    const h = Math.floor(c / width);
    const shared = Math.floor(h / group) * width;
    const score = (s: number) =>
      sumOver(width, (d) => q.at(b, t, h * width + d) * k.at(b, s, shared + d)) / Math.sqrt(width);
    const power = (s: number) => (sees(mask, b, t, s, queries, keys) ? Math.exp(score(s)) : 0);
    const total = sumOver(keys, power);
    const weight = (s: number) => (total === 0 ? 0 : power(s) / total);
    return sumOver(keys, (s) => weight(s) * factor(b, h, t, s) * v.at(b, s, shared + (c % width)));
  });
}

function sees(
  mask: AttentionOptions["mask"],
  b: number,
  t: number,
  s: number,
  queries: number,
  keys: number,
): boolean {
  if (mask === "full") return true;
  if (mask === "causal") return s <= keys - queries + t;
  const { start, end, diagonal } = mask[b];
  return s >= start && s < end && s <= diagonal + t;
}

function range(start: number, end: number, diagonal: number): KeyRange {
  return { start, end, diagonal };
}

/** Batch, queries, keys, and the channels of queries and of keys. */
function shapesOf(
  batch: number,
  queries: number,
  keys: number,
  channels: number,
  ofKeys = channels,
): number[][] {
  return [
    [batch, queries, channels],
    [batch, keys, ofKeys],
    [batch, keys, ofKeys],
  ];
}

function check(shapes: number[][], options: AttentionOptions): Promise<void> {
  return checkOp({
    shapes,
    op: (q, k, v) => attention(q, k, v, options),
    textbook: (...blocks) => textbookAttention(blocks, options),
  });
}

describe("attention", () => {
  test.each([
    [shapesOf(2, 5, 5, 6), 3],
    [shapesOf(1, 3, 7, 6), 2],
    [shapesOf(3, 1, 5, 7), 1],
    [shapesOf(2, 1, 1, 3), 3],
    [shapesOf(0, 3, 5, 2), 1],
    [shapesOf(2, 0, 3, 2), 1],
  ])("causal, of %j with %i heads", async (shapes, heads) => {
    await check(shapes, { heads, mask: "causal" });
  });

  test.each([
    [shapesOf(2, 3, 5, 6), 3],
    [shapesOf(2, 5, 3, 6), 2],
  ])("without a mask, of %j with %i heads", async (shapes, heads) => {
    await check(shapes, { heads, mask: "full" });
  });

  test.each(["causal", "full"] as const)("over the first keys alone, mask %s", async (mask) => {
    // The keys after the first five take no part, so their gradient is 0, not uninitialized memory.
    await check(shapesOf(2, 3, 7, 6), { heads: 2, mask, keyCount: 5 });
  });

  test.each<[string, number[][], KeyRange[], number]>([
    [
      "padding on the left, causal",
      shapesOf(3, 5, 5, 6),
      [range(2, 5, 0), range(0, 5, 0), range(4, 5, 0)],
      3,
    ],
    ["padding on the right, causal", shapesOf(2, 5, 5, 6), [range(0, 3, 0), range(0, 5, 0)], 2],
    ["sources of unequal length", shapesOf(3, 3, 7, 6), [range(0, 7, 7), range(0, 2, 7), range(0, 5, 7)], 2],
    ["caches of unequal length", shapesOf(2, 2, 7, 6), [range(0, 5, 3), range(0, 7, 5)], 1],
    ["more queries than keys", shapesOf(2, 7, 3, 6), [range(0, 3, -4), range(1, 3, -2)], 3],
    [
      "a sequence that sees nothing",
      shapesOf(3, 5, 3, 2),
      [range(1, 1, 3), range(0, 3, 3), range(2, 1, 3)],
      1,
    ],
    ["no sequence at all", shapesOf(0, 3, 5, 2), [], 1],
  ])("with key ranges: %s", async (_, shapes, mask, heads) => {
    await check(shapes, { heads, mask });
  });

  test("with key ranges over the first keys alone", async () => {
    await check(shapesOf(2, 3, 7, 6), { heads: 2, mask: [range(1, 5, 1), range(2, 4, 5)], keyCount: 5 });
  });

  test.each(backends)("on %s, a query that sees nothing yields 0 and has gradient 0", async (_, open) => {
    const context = new Context(await open());
    const poison = (values: Float64Array, t: number) => values.fill(Number.NaN, 6 * t, 6 * (t + 1));
    const [q, k, v] = ["query", "keys", "values"].map((name) => Block.random([2, 5, 6], name).values);
    // Queries and keys 0 and 1 of the first sequence are padding; the second is all padding.
    for (const t of [0, 1, 5, 6, 7, 8, 9]) for (const values of [q, k, v]) poison(values, t);
    const operands = [q, k, v].map((values) => context.parameter([2, 5, 6], values));
    await context.scope("grad", async () => {
      const mask = [range(2, 5, 0), range(0, 0, 0)];
      const y = attention(operands[0], operands[1], operands[2], { heads: 2, mask });
      const values = Array.from(await y.read());
      context.backward(sum(y));
      expect(values.map((value) => value === 0)).toEqual(values.map((_, i) => i < 12 || i >= 30));
      expect(values.every(Number.isFinite)).toBe(true);
    });
    for (const operand of operands) {
      const gradient = Array.from(await operand.grad());
      expect([...gradient.slice(0, 12), ...gradient.slice(30)]).toEqual(Array.from({ length: 42 }, () => 0));
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
    await context.backend.close();
  });

  test.each<[string, number[][], AttentionOptions]>([
    ["one head of keys for all", shapesOf(2, 5, 5, 6, 2), { heads: 3, mask: "causal" }],
    ["groups of two", shapesOf(2, 3, 5, 18, 9), { heads: 6, mask: "full" }],
    ["groups of three, of four channels", shapesOf(2, 3, 3, 24, 8), { heads: 6, mask: "causal" }],
    ["groups of five, one query", shapesOf(3, 1, 7, 40, 8), { heads: 10, mask: "causal" }],
    ["the first keys alone", shapesOf(2, 3, 7, 12, 6), { heads: 4, mask: "causal", keyCount: 5 }],
    ["key ranges", shapesOf(2, 3, 5, 12, 3), { heads: 4, mask: [range(1, 5, 1), range(2, 2, 5)] }],
    ["no sequence at all", shapesOf(0, 3, 5, 4, 2), { heads: 2, mask: "full" }],
  ])("with shared heads of keys: %s", async (_, shapes, options) => {
    await check(shapes, options);
  });

  test("with shared heads of keys and dropped weights", async () => {
    await checkDropped({ heads: 6, mask: "causal", dropout: 0.3 }, shapesOf(2, 5, 5, 12, 4));
  });

  test.each(backends)("on %s, shared heads have the bits of copies", async (_, open) => {
    const context = new Context(await open());
    const [q, k, v] = [24, 8, 8].map((channels, i) => Block.random([2, 5, channels], `shared ${i}`));
    // Head h of twelve channels a group: two heads of four channels, each three times.
    const copied = (x: Block) =>
      Block.build([2, 5, 24], (b, t, c) => x.at(b, t, Math.floor(c / 12) * 4 + (c % 4)));
    const run = (keys: Block, values: Block) =>
      context.scope("no-grad", async () => {
        const [qs, ks, vs] = [q, keys, values].map(({ shape, values }) => context.constant(shape, values));
        return Array.from(await attention(qs, ks, vs, { heads: 6, mask: "causal" }).read());
      });
    expect(await run(k, v)).toEqual(await run(copied(k), copied(v)));
    await context.backend.close();
  });

  test("with dropped weights and key ranges", async () => {
    const mask = [range(1, 5, 0), range(0, 4, 5)];
    await checkDropped({ heads: 3, mask, dropout: 0.3 });
  });

  test("with dropped weights", async () => {
    await checkDropped({ heads: 3, mask: "causal", dropout: 0.3 });
  });

  async function checkDropped(options: AttentionOptions, shapes = shapesOf(2, 5, 5, 6)): Promise<void> {
    const [batch, heads, positions] = [2, options.heads, 5];
    const shape = [batch, heads, positions, positions];
    const kept = await inScope("no-grad", async (context) => {
      const ones = context.constant(shape, Block.build(shape, () => 1).values);
      return new Block(shape, await dropout(ones, 0.3, Random.of(2)).read());
    });
    expect(kept.values.some((value) => value === 0)).toBe(true);
    await checkOp({
      shapes,
      op: (q, k, v) => attention(q, k, v, { ...options, random: Random.of(2) }),
      textbook: (...blocks) => textbookAttention(blocks, options, (...index) => kept.at(...index)),
    });
  }

  test.each<[string, number, (a: Tensor, b: Tensor) => Tensor[], (a: Block, b: Block) => Block[]]>([
    ["query, keys and values", 1, (x) => [x, x, x], (x) => [x, x, x]],
    ["query and keys", 2, (x, y) => [x, x, y], (x, y) => [x, x, y]],
    ["query and values", 2, (x, y) => [x, y, x], (x, y) => [x, y, x]],
    ["keys and values", 2, (x, y) => [x, y, y], (x, y) => [x, y, y]],
  ])("one tensor as %s", async (_, count, operands, blocks) => {
    const options: AttentionOptions = { heads: 2, mask: "causal" };
    await checkOp({
      shapes: shapesOf(2, 3, 3, 6).slice(0, count),
      op: (a, b) => {
        const [q, k, v] = operands(a, b);
        return attention(q, k, v, options);
      },
      textbook: (a, b) => textbookAttention(blocks(a, b), options),
    });
  });

  test("each gradient is written to a separate buffer, even if operands are the same tensor", async () => {
    const backend = new ReferenceBackend("double");
    const written: Buffer[][] = [];
    const watched = withKernels(backend, {
      attentionBackward(dq, dk, dv, ...rest) {
        written.push([dq.buffer, dk.buffer, dv.buffer]);
        backend.attentionBackward(dq, dk, dv, ...rest);
      },
    });
    const context = new Context(watched);
    const x = context.parameter([1, 2, 3], Block.random([1, 2, 3], "x").values);
    const y = context.parameter([1, 2, 3], Block.random([1, 2, 3], "y").values);
    for (const [q, k, v] of [
      [x, x, x],
      [x, x, y],
      [x, y, x],
      [y, x, x],
    ]) {
      await context.scope("grad", () =>
        context.backward(sum(attention(q, k, v, { heads: 1, mask: "causal" }))),
      );
    }
    expect(written.map((buffers) => new Set(buffers).size)).toEqual([3, 3, 3, 3]);
  });

  const three = "attention: needs query (B, T, C), key (B, S, C) and value (B, S, C): got";
  test.each<[number[][], AttentionOptions, string]>([
    [
      [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      { heads: 1, mask: "full" },
      `${three} (2, 3), (2, 3), (2, 3)`,
    ],
    [
      [
        [2, 3, 6],
        [5, 3, 6],
        [5, 3, 6],
      ],
      { heads: 1, mask: "full" },
      `${three} (2, 3, 6), (5, 3, 6), (5, 3, 6)`,
    ],
    [
      [
        [2, 3, 6],
        [2, 3, 6],
        [2, 5, 6],
      ],
      { heads: 1, mask: "full" },
      `${three} (2, 3, 6), (2, 3, 6), (2, 5, 6)`,
    ],
    [
      shapesOf(2, 3, 5, 12, 9),
      { heads: 4, mask: "full" },
      "attention: keys and values need H_kv heads of 3 channels, where H_kv divides the 4 heads of the query: got 9 channels",
    ],
    [shapesOf(2, 3, 5, 6), { heads: 4, mask: "full" }, "attention: 6 channels do not divide into 4 heads"],
    [shapesOf(2, 3, 5, 6), { heads: 0, mask: "full" }, "attention: 6 channels do not divide into 0 heads"],
    [
      shapesOf(2, 3, 5, 6),
      { heads: 2, mask: "full", keyCount: 7 },
      "attention: keyCount must be in 0 … 5: got 7",
    ],
    [
      shapesOf(2, 5, 3, 6),
      { heads: 2, mask: "causal" },
      "attention: causal needs keys ≥ queries: got 5 queries over 3 keys",
    ],
    [
      shapesOf(2, 3, 5, 6),
      { heads: 2, mask: "causal", keyCount: 2 },
      "attention: causal needs keys ≥ queries: got 3 queries over 2 keys",
    ],
    [
      shapesOf(2, 3, 5, 6),
      { heads: 2, mask: [range(0, 5, 0)] },
      "attention: needs a key range for each of the 2 sequences of the batch: got 1",
    ],
    [
      shapesOf(2, 3, 5, 6),
      { heads: 2, mask: [range(0, 5, 0), range(0, 6, 0)] },
      "attention: end of key range 1 must be a whole number in 0 … 5, the number of keys: got 6",
    ],
    [
      shapesOf(2, 3, 5, 6),
      { heads: 2, mask: [range(0, 5, 0), range(0, 3, 0)], keyCount: 3 },
      "attention: end of key range 0 must be a whole number in 0 … 3, the number of keys: got 5",
    ],
    [
      shapesOf(2, 3, 5, 6),
      { heads: 2, mask: [range(-1, 5, 0), range(0, 3, 0)] },
      "attention: start of key range 0 must be a whole number in 0 … 5, the number of keys: got -1",
    ],
    [
      shapesOf(2, 3, 5, 6),
      { heads: 2, mask: [range(1.5, 5, 0), range(0, 3, 0)] },
      "attention: start of key range 0 must be a whole number in 0 … 5, the number of keys: got 1.5",
    ],
    [
      shapesOf(2, 3, 5, 6),
      { heads: 2, mask: [range(0, 5, 0), range(0, 3, Number.NaN)] },
      "attention: diagonal of key range 1 must be a whole number in −2²⁴ … 2²⁴: got NaN",
    ],
  ])("rejects %j with %j", async (shapes, options, message) => {
    await inScope("no-grad", (context) => {
      const [q, k, v] = shapes.map((shape) => context.persistent(shape));
      expect(() => attention(q, k, v, options)).toThrow(new ShapeError(message));
    });
  });

  test("rejects operands of different contexts", async () => {
    await inScope("no-grad", (context) => {
      const [q, k] = [context.persistent([2, 3, 6]), context.persistent([2, 3, 6])];
      const v = doubleContext().persistent([2, 3, 6]);
      expect(() => attention(q, k, v, { heads: 1, mask: "full" })).toThrow(TensorError);
    });
  });
});
