/**
 * Does a model peek to the right? Checks that compare logits bit for bit, and gradients with 0, on any backend.
 *
 * Each gives a list of what leaked, in words; an empty list is the proof. They report instead of asserting, so
 * that tests can show that they do find the leaks of a model whose mask is broken.
 */
import type { GPT } from "../../src/nn/gpt.ts";
import type { KeyValueCache } from "../../src/nn/key-value-cache.ts";
import type { MaskMatrix } from "../../src/nn/textbook-attention.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { slice } from "../../src/ops/slice.ts";
import { sum } from "../../src/ops/sum.ts";
import { Random } from "../../src/random.ts";

/** What the checks ask of a model: a GPT, or another that scores a token at each position. */
export type Subject = Pick<
  GPT,
  "context" | "config" | "positionEmbedding" | "forward" | "makeCache" | "parameters"
>;

export interface Way {
  /** Another mask than the model's own. */
  readonly maskMatrix?: MaskMatrix;
  /** How many positions go through a cache at a time; without it, all at once and no cache. */
  readonly chunks?: readonly number[];
}

/** Token ids, one list for each row of a batch, all of one length. */
export type Rows = readonly (readonly number[])[];

/** Logits by row of the batch and position: V numbers each. */
export type Logits = readonly (readonly (readonly number[])[])[];

/** Runs the model over the rows. */
export function logitsOf(model: Subject, rows: Rows, way: Way = {}): Promise<Logits> {
  const { context, config } = model;
  const batchSize = rows.length;
  const positions = rows[0].length;
  const mask = way.maskMatrix === undefined ? {} : { maskMatrix: way.maskMatrix };
  return context.scope("forget", async () => {
    const cache: KeyValueCache | null = way.chunks === undefined ? null : model.makeCache(batchSize);
    const logits: number[][][] = rows.map(() => []);
    let start = 0;
    for (const chunk of way.chunks ?? [positions]) {
      const ids = rows.flatMap((row) => row.slice(start, start + chunk));
      const pass = { cache, random: null, ...mask };
      const values = Array.from(await model.forward({ ids, batchSize }, pass).read());
      for (let row = 0; row < batchSize; row++) {
        for (let t = 0; t < chunk; t++) {
          const at = (row * chunk + t) * config.vocabSize;
          logits[row].push(values.slice(at, at + config.vocabSize));
        }
      }
      start += chunk;
    }
    cache?.free();
    return logits;
  });
}

/** The same bits; −0 and 0 differ. */
export function sameBits(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** For every position t: all tokens after t become others; what changes in the logits up to t? */
export async function leaksFromTheFuture(model: Subject, rows: Rows, way: Way = {}): Promise<string[]> {
  const before = await logitsOf(model, rows, way);
  const leaks: string[] = [];
  for (let last = 0; last < rows[0].length - 1; last++) {
    const changed = rows.map((row) => row.map((id, t) => (t <= last ? id : anotherId(model, id, t))));
    const after = await logitsOf(model, changed, way);
    before.forEach((row, b) => {
      row.slice(0, last + 1).forEach((logits, t) => {
        if (!sameBits(logits, after[b][t])) leaks.push(`row ${b}, position ${t} sees beyond ${last}`);
      });
      // The change must be one that the model notices where it may.
      if (sameBits(row[last + 1], after[b][last + 1])) {
        leaks.push(`row ${b}, position ${last + 1} does not see its own token`);
      }
    });
  }
  return leaks;
}

/** Each row of the batch again, beside other rows and alone: what changes in its logits? */
export async function leaksBetweenRows(model: Subject, rows: Rows, way: Way = {}): Promise<string[]> {
  const together = await logitsOf(model, rows, way);
  const leaks: string[] = [];
  for (const [b, row] of rows.entries()) {
    const alone = await logitsOf(model, [row], way);
    const others = rows.map((other, i) => (i === b ? other : other.map((id, t) => anotherId(model, id, t))));
    const beside = await logitsOf(model, others, way);
    row.forEach((_, t) => {
      if (!sameBits(together[b][t], alone[0][t])) leaks.push(`row ${b}, position ${t} differs when alone`);
      if (!sameBits(together[b][t], beside[b][t])) leaks.push(`row ${b}, position ${t} sees another row`);
    });
  }
  return leaks;
}

/**
 * The gradient of the logits at each t in the input at each s. Position s enters the model as
 * tokenEmbedding[id] + positionEmbedding[s], so with one row in the batch, the gradient in row s of the position
 * embedding is the gradient in the input. It must be exactly 0 for s > t, and must not be 0 for s ≤ t.
 */
export async function leaksInTheGradient(
  model: Subject,
  ids: readonly number[],
  way: Way = {},
): Promise<string[]> {
  const { context, positionEmbedding } = model;
  const { dModel, vocabSize } = model.config;
  const mask = way.maskMatrix === undefined ? {} : { maskMatrix: way.maskMatrix };
  const leaks: string[] = [];
  for (const t of ids.keys()) {
    for (const { storage } of Object.values(model.parameters())) storage.clearGradient();
    await context.scope("record", () => {
      const logits = slice(
        model.forward({ ids, batchSize: 1 }, { cache: null, random: null, ...mask }),
        1,
        t,
        t + 1,
      );
      const random = Random.of(13, "cotangent", t);
      const weights = Float64Array.from({ length: vocabSize }, () => random.normal());
      context.backward(sum(multiply(logits, context.constant([vocabSize], weights))));
    });
    const gradient = await positionEmbedding.readGradient();
    for (const s of ids.keys()) {
      const row = gradient.slice(s * dModel, (s + 1) * dModel);
      const reaches = row.some((value) => value !== 0);
      if (reaches && s > t) leaks.push(`the logits at ${t} depend on the input at ${s}`);
      if (!reaches && s <= t) leaks.push(`the logits at ${t} do not depend on the input at ${s}`);
    }
  }
  return leaks;
}

/** A token other than `id`. */
function anotherId(model: Subject, id: number, position: number): number {
  const { vocabSize } = model.config;
  return (id + 1 + (position % (vocabSize - 1))) % vocabSize;
}
