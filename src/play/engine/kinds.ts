/** One input for each kind of model: what it makes of it, and the mask that it reads it with. */

import { SampleError } from "../../errors.ts";
import type { Matrix } from "../../lesson/mask.ts";
import { padTokens } from "../../nn/inputs/token-batch.ts";
import { causalMask } from "../../nn/layers/textbook-attention.ts";
import { Random } from "../../random.ts";
import { candidatesOf, probabilitiesOf } from "../../sample/candidates.ts";
import { BLANK, encoderLogits, idsWithBlanks } from "../../sample/fill-blanks.ts";
import { generateText } from "../../sample/generate-text.ts";
import { greedyAnswers } from "../../sample/greedy-answers.ts";
import { answer as correctAnswer } from "../../train/objectives/toy-task.ts";
import type { MaskMode } from "../masks.ts";
import type { SideName, SideState } from "../protocol.ts";
import type { Engine, Viewed } from "./engine.ts";
import { maskMatrixOf } from "./mask-matrix.ts";
import type { ModelName } from "./model-names.ts";
import { promptIds } from "./prompt.ts";
import { sideModelsOf } from "./side-models.ts";
import { withMask } from "./with-mask.ts";

/** What a model reads, and which of it each position sees. */
export interface Reading {
  /** The text of each token; null for [MASK] and [start]. */
  readonly tokens: readonly (string | null)[];
  /** M (T, T): 0 for visible keys, −∞ for hidden ones. */
  readonly mask: Matrix;
}

export interface FilledText extends Reading {
  readonly text: string;
  readonly blanks: readonly FilledBlank[];
  readonly state: SideState;
}

export interface FilledBlank {
  readonly position: number;
  /** The most probable tokens, in descending order. */
  readonly candidates: readonly { readonly text: string; readonly probability: number }[];
}

export interface ContinuedText extends Reading {
  /** The most probable continuation. */
  readonly text: string;
  /** The same with the causal mask. */
  readonly causalText: string;
  readonly layers: number;
}

export interface AnsweredString extends Reading {
  /** The number of tokens of the source; the others are [start] and the answer, the correct one if it is empty. */
  readonly sourceTokens: number;
  readonly answer: string;
  readonly correct: string;
  readonly state: SideState;
}

/** The matrices are drawn. */
const MOST_TOKENS = 32;
const CONTINUED_TOKENS = 32;
const SHOWN_CANDIDATES = 3;

/**
 * Fills in the blanks of a text with the encoder, trained or not.
 *
 * @throws SampleError for a text without a blank, or a long one
 * @throws TokenError for a character outside the vocabulary
 */
export async function fill(engine: Engine, text: string): Promise<FilledText> {
  const opened = await sideModelsOf(engine).encoder.opened();
  const { model, tokenizer } = opened;
  const ids = idsWithBlanks(model, (piece) => tokenizer.encode(piece), text);
  checkLength(ids.length);
  const logits = await encoderLogits(model, ids);
  const filled = [...ids];
  const blanks = ids.flatMap((id, position) => {
    if (id !== model.maskId) return [];
    const best = bestOf(logits[position]);
    filled[position] = best[0].id;
    const candidates = best.map(({ id, probability }) => ({ text: tokenizer.decode([id]), probability }));
    return [{ position, candidates }];
  });
  if (blanks.length === 0)
    throw new SampleError(`the text has no blank: put a ${BLANK} in place of each missing character`);
  return {
    tokens: ids.map((id) => (id === model.maskId ? null : tokenizer.decode([id]))),
    mask: square(ids.length, () => 0),
    text: tokenizer.decode(filled),
    blanks,
    state: sideModelsOf(engine).encoder.state(opened),
  };
}

/** The most probable tokens, in descending order. */
function bestOf(logits: readonly number[]): { readonly id: number; readonly probability: number }[] {
  const candidates = candidatesOf(logits);
  return Array.from(probabilitiesOf(candidates), (probability, place) => ({
    id: candidates.ids[place],
    probability,
  }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, SHOWN_CANDIDATES);
}

export interface ContinueRequest {
  readonly model: ModelName;
  readonly mask: MaskMode;
  readonly prompt: string;
}

/**
 * Continues a text with a GPT under a mask, and under the causal mask.
 *
 * @throws SampleError for an empty or long prompt
 * @throws TokenError for a character outside the vocabulary
 */
export async function continueText(
  engine: Engine,
  { model: name, mask, prompt }: ContinueRequest,
): Promise<ContinuedText> {
  const viewed = await engine.viewed(name);
  const { model, tokenizer } = viewed;
  const ids = promptIds(viewed, prompt);
  checkLength(ids.length);
  const text = await withMask(model, mask, () => continuation(viewed, prompt));
  return {
    tokens: ids.map((id) => tokenizer.decode([id])),
    mask: switched(mask, ids.length),
    text,
    causalText: mask === "on" ? text : await withMask(model, "on", () => continuation(viewed, prompt)),
    layers: model.config.layers,
  };
}

async function continuation({ model, tokenizer }: Viewed, prompt: string): Promise<string> {
  const options = {
    tokens: CONTINUED_TOKENS,
    random: Random.of(0),
    settings: { temperature: 0 },
    overflow: "slide",
  } as const;
  let text = "";
  for await (const piece of generateText(model, tokenizer, prompt, options)) text += piece;
  return text;
}

/**
 * Answers a string with the encoder–decoder, trained or not.
 *
 * @throws SampleError for an empty or long string
 * @throws TokenError for a letter outside the task's
 */
export async function answerString(
  engine: Engine,
  { source, mask }: { readonly source: string; readonly mask: MaskMode },
): Promise<AnsweredString> {
  const opened = await sideModelsOf(engine).answers.opened();
  const { model, tokenizer, task } = opened;
  const ids = Array.from(tokenizer.encode(source));
  const { minLength, maxLength } = task.settings;
  if (ids.length < minLength || ids.length > maxLength)
    throw new SampleError(
      `this model answers strings of ${minLength} to ${maxLength} letters: got ${ids.length}`,
    );
  const [{ ids: answer }] = await greedyAnswers(model, padTokens([ids], "right"));
  const correct = correctAnswer(task.settings.task, ids);
  // A model that is not trained may write nothing: then what it reads in training.
  const read = answer.length > 0 ? answer : correct;
  const text = (id: number) => tokenizer.decode([id]);
  const first = ids.length;
  const causal = switched(mask, 1 + read.length);
  return {
    tokens: [...ids.map(text), null, ...read.map(text)],
    mask: square(first + causal.length, (query, key) => {
      if (key < first) return 0;
      return query < first ? Number.NEGATIVE_INFINITY : causal[query - first][key - first];
    }),
    sourceTokens: first,
    answer: tokenizer.decode(answer),
    correct: tokenizer.decode(correct),
    state: sideModelsOf(engine).answers.state(opened),
  };
}

/** Trains one of section 7's models, or stops. */
export async function trainSide(
  engine: Engine,
  { name, isOn }: { readonly name: SideName; readonly isOn: boolean },
): Promise<void> {
  const training = sideModelsOf(engine)[name];
  await (isOn ? training.start() : training.stop());
}

function checkLength(tokens: number): void {
  if (tokens > MOST_TOKENS)
    throw new SampleError(`the matrix has room for ${MOST_TOKENS} tokens: this text has ${tokens}`);
}

/** The mask of the switch (T, T), as the model adds it. */
function switched(mask: MaskMode, size: number): Matrix {
  const values = (maskMatrixOf(mask) ?? causalMask)(size, size);
  return square(size, (query, key) => values[query * size + key]);
}

function square(size: number, valueAt: (row: number, column: number) => number): Matrix {
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => valueAt(row, column)),
  );
}
