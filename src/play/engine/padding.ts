/** Two texts in one batch: the causal mask, the padding mask and their sum, and what each does to the logits. */
import type { Tensor } from "../../autograd/tensor.ts";
import { SampleError } from "../../errors.ts";
import type { Matrix } from "../../lesson/mask.ts";
import { exp } from "../../math.ts";
import { type PaddingSide, padTokens, positionsOf, rowsOf } from "../../nn/inputs/token-batch.ts";
import { inspect } from "../../nn/inspect.ts";
import { causalMask, type MaskMatrix } from "../../nn/layers/textbook-attention.ts";
import type { MaskMode } from "../masks.ts";
import type { Engine, Viewed } from "./engine.ts";
import { maskMatrixOf } from "./mask-matrix.ts";
import type { ModelName } from "./model-names.ts";
import { promptIds } from "./prompt.ts";

export interface PaddingRequest {
  readonly model: ModelName;
  /** "off" and "shifted" replace the causal mask. */
  readonly mask: MaskMode;
  readonly texts: readonly [string, string];
  readonly side: PaddingSide;
}

export interface PaddingAnswer {
  /** One for each text. */
  readonly rows: readonly MaskedRow[];
  /** A position that sees nothing, if there is one. */
  readonly blind: BlindPosition | null;
  /** How the shorter text's logits in the batch compare with those of the text alone; null without padding. */
  readonly unchanged: Unchanged | null;
}

/** The masks of a row of the batch: 0 for visible keys, −∞ for hidden ones, (T, T) each. */
export interface MaskedRow {
  /** The text of each token; null for padding. */
  readonly tokens: readonly (string | null)[];
  readonly causal: Matrix;
  readonly padding: Matrix;
  /** What the model adds to its scores. */
  readonly both: Matrix;
}

/** A query that sees no key, in the first head of the first block. */
export interface BlindPosition {
  readonly row: number;
  readonly position: number;
  /** S */
  readonly scores: readonly number[];
  /** exp(S + M) */
  readonly exponentials: readonly number[];
  /** exp(S + M) / Σ exp(S + M), in plain arithmetic: 0/0. */
  readonly textbook: readonly number[];
  /** The weights of the model. */
  readonly weights: readonly number[];
}

/** The number of logits that equal those of the text alone, bit for bit. */
export interface Unchanged {
  readonly row: number;
  readonly logits: number;
  readonly both: number;
  /** Without the padding mask. */
  readonly onlyCausal: number;
  /** Without the causal mask. */
  readonly onlyPadding: number;
}

/** The matrices are drawn with a number in each cell. */
const MOST_TOKENS = 12;

/**
 * Runs two texts as one padded batch, and the shorter one alone.
 *
 * @throws SampleError for an empty text, or one that is too long for the drawing
 * @throws TokenError for a character outside the vocabulary
 */
export async function padding(engine: Engine, request: PaddingRequest): Promise<PaddingAnswer> {
  const { model: name, mask, texts, side } = request;
  const viewed = await engine.viewed(name);
  const ids = texts.map((text) => shortIds(viewed, text));
  const batch = new PaddedBatch(viewed, ids, side, maskMatrixOf(mask));
  const rows = [await batch.row(0), await batch.row(1)];
  const shorter = ids[0].length < ids[1].length ? 0 : 1;
  const isPadded = ids[0].length !== ids[1].length;
  return {
    rows: rows.map(({ masks }) => masks),
    blind: rows.map(({ blind }) => blind).find((found) => found !== null) ?? null,
    unchanged: isPadded ? await batch.compare(shorter) : null,
  };
}

function shortIds(viewed: Viewed, text: string): number[] {
  const ids = promptIds(viewed, text);
  if (ids.length > MOST_TOKENS)
    throw new SampleError(`the matrices have room for ${MOST_TOKENS} tokens: “${text}” has ${ids.length}`);
  return ids;
}

class PaddedBatch {
  readonly #viewed: Viewed;
  readonly #ids: readonly (readonly number[])[];
  readonly #tokens: ReturnType<typeof padTokens>;
  readonly #positions: number;
  /** Replaces the causal mask; null for the causal mask. */
  readonly #switched: MaskMatrix | null;

  constructor(
    viewed: Viewed,
    ids: readonly (readonly number[])[],
    side: PaddingSide,
    switched: MaskMatrix | null,
  ) {
    this.#viewed = viewed;
    this.#ids = ids;
    this.#tokens = padTokens(ids, side);
    this.#positions = positionsOf(this.#tokens);
    this.#switched = switched;
  }

  async row(b: number): Promise<{ masks: MaskedRow; blind: BlindPosition | null }> {
    const size = this.#positions;
    const { tokenizer } = this.#viewed;
    const { mask, scores, attention } = await this.#inside(b);
    const start = rowsOf(this.#tokens).starts[b];
    const tokens = Array.from({ length: size }, (_, t) => {
      const id = this.#ids[b][t - start];
      return id === undefined ? null : tokenizer.decode([id]);
    });
    const both = rowsIn(mask, size);
    const masks = {
      tokens,
      causal: rowsIn(this.#causal(size, size), size),
      padding: rowsIn(this.#padding(b)(size, size), size),
      both,
    };
    const position = both.findIndex((row) => !row.includes(0));
    if (position < 0) return { masks, blind: null };
    const [S, weights] = [rowsIn(scores, size)[position], rowsIn(attention, size)[position]];
    const exponentials = S.map((score, s) => exp(score + both[position][s]));
    const sum = exponentials.reduce((total, each) => total + each, 0);
    const textbook = exponentials.map((each) => each / sum);
    return { masks, blind: { row: b, position, scores: S, exponentials, textbook, weights } };
  }

  async compare(b: number): Promise<Unchanged> {
    // Both paths of attention have the same mathematics; only one path's results have the same bits.
    const own = await this.#alone(b, this.#switched);
    const replaced = await this.#alone(b, this.#causal);
    return {
      row: b,
      logits: own.length,
      both: countSame(own, await this.#padded(b, this.#both(b))),
      onlyCausal: countSame(replaced, await this.#padded(b, this.#causal)),
      onlyPadding: countSame(replaced, await this.#padded(b, this.#padding(b))),
    };
  }

  get #causal(): MaskMatrix {
    return this.#switched ?? causalMask;
  }

  #padding(b: number): MaskMatrix {
    const { starts, ends } = rowsOf(this.#tokens);
    return (queries, keys) =>
      Float64Array.from({ length: queries * keys }, (_, i) => {
        const key = i % keys;
        return key >= starts[b] && key < ends[b] ? 0 : Number.NEGATIVE_INFINITY;
      });
  }

  /** What row b adds to its scores; null for the model's own mask. */
  #both(b: number): MaskMatrix | null {
    const switched = this.#switched;
    if (switched === null) return null;
    return (queries, keys) => {
      const hidden = this.#padding(b)(queries, keys);
      return switched(queries, keys).map((value, i) => value + hidden[i]);
    };
  }

  /** The mask of row b, and scores and weights of the first head of the first block. */
  #inside(b: number) {
    const { model } = this.#viewed;
    return model.context.scope("no-grad", async () => {
      const [{ mask, scores, attention }] = inspect(model, this.#tokens, {
        maskMatrix: this.#both(b),
      }).blocks;
      const size = this.#positions * this.#positions;
      const ofRow = async (x: Tensor) => {
        const values = Array.from(await x.read());
        // Without padding, all rows share a mask.
        const at = values.length === size ? 0 : (b * values.length) / this.#tokens.batchSize;
        return values.slice(at, at + size);
      };
      return { mask: await ofRow(mask), scores: await ofRow(scores), attention: await ofRow(attention) };
    });
  }

  /** The logits of row b in the batch, without those at padding. */
  async #padded(b: number, maskMatrix: MaskMatrix | null): Promise<ArrayLike<number>> {
    const { model } = this.#viewed;
    const { vocabSize } = model.config;
    const logits = await model.context.scope("no-grad", () =>
      inspect(model, this.#tokens, { maskMatrix }).logits.read(),
    );
    const { starts, ends } = rowsOf(this.#tokens);
    const [from, to] = [starts, ends].map((places) => (b * this.#positions + places[b]) * vocabSize);
    return logits.slice(from, to);
  }

  #alone(b: number, maskMatrix: MaskMatrix | null): Promise<ArrayLike<number>> {
    const { model } = this.#viewed;
    const tokens = { ids: this.#ids[b], batchSize: 1 };
    return model.context.scope("no-grad", () => inspect(model, tokens, { maskMatrix }).logits.read());
  }
}

function rowsIn(values: ArrayLike<number>, columns: number): Matrix {
  const all = Array.from(values);
  return Array.from({ length: all.length / columns }, (_, t) => all.slice(t * columns, (t + 1) * columns));
}

function countSame(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).filter((value, i) => Object.is(value, b[i])).length;
}
