/** The mask in numbers: one attention head from its scores to its weights, with the future hidden in several ways. */
import { Context } from "../../autograd/context.ts";
import { ConfigError } from "../../errors.ts";
import { inspect } from "../../nn/inspect.ts";
import { causalMask } from "../../nn/layers/textbook-attention.ts";
import { matmul } from "../../ops/matmul.ts";
import { reshape } from "../../ops/reshape.ts";
import { scale } from "../../ops/scale.ts";
import { slice } from "../../ops/slice.ts";
import { transpose } from "../../ops/transpose.ts";
import { anotherId } from "../../verify/texts.ts";
import type { MaskMode } from "../masks.ts";
import { WAYS, type Way } from "../ways.ts";
import type { Engine } from "./engine.ts";
import { type Hidden, hide, type Matrix, matrixOf } from "./hide.ts";
import { maskMatrixOf } from "./mask-matrix.ts";
import type { ModelName } from "./model-names.ts";
import { type Example, SMALL_EXAMPLES, type SmallAttention } from "./small-examples.ts";

export interface MatricesRequest {
  readonly source: HeadOfModel | Example;
  readonly mask: MaskMode;
  readonly way: Way;
}

export interface HeadOfModel {
  readonly model: ModelName;
  readonly text: string;
  /** The last one if the model has fewer. */
  readonly layer: number;
  readonly head: number;
}

/** Attention of T tokens to themselves, (T, T) each. */
export interface Matrices extends Hidden {
  readonly tokens: readonly string[];
  /** The number of tokens of the text that did not fit. */
  readonly leftOut: number;
  readonly layers: number;
  readonly heads: number;
  /** Q and K (T, D) of a small example; null for a model. */
  readonly given: Omit<SmallAttention, "tokens"> | null;
  /** S */
  readonly scores: Matrix;
  /** softmax(S), the weights without a mask. */
  readonly weightsWithoutMask: Matrix;
  readonly ways: Readonly<Record<Way, WayFacts>>;
}

/** What a way to hide the future does. */
export interface WayFacts {
  /** The sums of the rows of A. */
  readonly smallestSum: number;
  readonly largestSum: number;
  /** The weights of A that differ by a bit from those of −∞ before the softmax. */
  readonly unequal: number;
  /** After another last token: the weights that changed, of those from earlier positions to themselves and their past. */
  readonly changed: number;
  readonly compared: number;
}

/** Larger matrices are not legible. */
export const MOST_TOKENS = 24;

/** A head's scores, and what they become when the last token is another one. */
interface Scores {
  readonly tokens: readonly string[];
  readonly leftOut: number;
  readonly layers: number;
  readonly heads: number;
  readonly given: Matrices["given"];
  readonly scores: Matrix;
  readonly changedScores: Matrix;
}

/**
 * @throws ConfigError for an empty text
 * @throws TokenError for a character outside the model's vocabulary
 */
export async function matrices(engine: Engine, { source, mask, way }: MatricesRequest): Promise<Matrices> {
  const context = new Context(engine.backend);
  const found =
    typeof source === "string"
      ? await scoresOfExample(context, SMALL_EXAMPLES[source])
      : await scoresOfModel(engine, source, mask);
  const { changedScores, ...shown } = found;
  const { scores } = shown;
  const T = scores.length;
  const M = (maskMatrixOf(mask) ?? causalMask)(T, T);
  const shows = (row: number, column: number) => M[row * T + column] === 0;
  const hidden = await hideEachWay(context, scores, shows);
  const changed = await hideEachWay(context, changedScores, shows);
  const factsOf = (name: Way) => wayFacts(hidden[name], changed[name], hidden.infinity);
  const [infinity, large, after, none] = WAYS.map(factsOf);
  context.close();
  return {
    ...shown,
    ...hidden[way],
    weightsWithoutMask: hidden.none.weights,
    ways: { infinity, large, after, none },
  };
}

async function scoresOfModel(engine: Engine, source: HeadOfModel, mask: MaskMode): Promise<Scores> {
  const { model, tokenizer } = await engine.viewed(source.model);
  const { layers, heads, contextLength, vocabSize } = model.config;
  const all = Array.from(tokenizer.encode(source.text));
  if (all.length === 0) throw new ConfigError("type a text of at least one character");
  const ids = all.slice(0, Math.min(MOST_TOKENS, contextLength));
  const within = (index: number, count: number) => Math.max(0, Math.min(index, count - 1));
  const [layer, head] = [within(source.layer, layers), within(source.head, heads)];
  const scoresFor = (tokens: readonly number[]) =>
    model.context.scope("no-grad", () => {
      const { blocks } = inspect(model, { ids: tokens, batchSize: 1 }, { maskMatrix: maskMatrixOf(mask) });
      return matrixOf(reshape(slice(blocks[layer].scores, 1, head, head + 1), [ids.length, ids.length]));
    });
  const last = ids.length - 1;
  return {
    tokens: ids.map((id) => tokenizer.decode([id])),
    leftOut: all.length - ids.length,
    layers,
    heads,
    given: null,
    scores: await scoresFor(ids),
    changedScores: await scoresFor(ids.with(last, anotherId(ids[last], last, vocabSize))),
  };
}

async function scoresOfExample(context: Context, example: SmallAttention): Promise<Scores> {
  const { tokens, queries, keys } = example;
  // Another last token has another key: here, one that each query matches better.
  const last = keys.length - 1;
  const otherKeys = keys.with(
    last,
    keys[last].map((number) => number + 1),
  );
  return {
    tokens,
    leftOut: 0,
    layers: 1,
    heads: 1,
    given: { queries, keys },
    scores: await scoresOf(context, queries, keys),
    changedScores: await scoresOf(context, queries, otherKeys),
  };
}

/** S = Q·Kᵀ/√D */
function scoresOf(context: Context, queries: Matrix, keys: Matrix): Promise<Matrix> {
  const D = keys[0].length;
  return context.scope("no-grad", () => {
    const [q, k] = [queries, keys].map((matrix) => context.constant([matrix.length, D], matrix.flat()));
    return matrixOf(scale(matmul(q, transpose(k)), 1 / Math.sqrt(D)));
  });
}

async function hideEachWay(
  context: Context,
  scores: Matrix,
  shows: (row: number, column: number) => boolean,
): Promise<Record<Way, Hidden>> {
  const infinity = await hide(context, scores, shows, "infinity");
  const large = await hide(context, scores, shows, "large");
  const after = await hide(context, scores, shows, "after");
  const none = await hide(context, scores, shows, "none");
  return { infinity, large, after, none };
}

function wayFacts({ weights }: Hidden, changed: Hidden, infinity: Hidden): WayFacts {
  const sums = weights.map((row) => row.reduce((sum, weight) => sum + weight, 0));
  const past = (matrix: Matrix) => matrix.slice(0, -1).flatMap((row, t) => row.slice(0, t + 1));
  const before = past(weights);
  return {
    smallestSum: sums.reduce((least, sum) => Math.min(least, sum)),
    largestSum: sums.reduce((most, sum) => Math.max(most, sum)),
    unequal: countUnequal(weights.flat(), infinity.weights.flat()),
    changed: countUnequal(before, past(changed.weights)),
    compared: before.length,
  };
}

/** The numbers that differ by even one bit. */
function countUnequal(a: readonly number[], b: readonly number[]): number {
  return a.filter((number, i) => !Object.is(number, b[i])).length;
}
