/** Every question that the page may ask its engine: one function each. The page takes their types from here. */
import type { MaskMode } from "../masks.ts";
import type { RunState } from "../protocol.ts";
import type { Recipe } from "../settings.ts";
import { beams } from "./beams.ts";
import type { Engine } from "./engine.ts";
import { answerString, continueText, fill, trainSide } from "./kinds.ts";
import { leaks } from "./leaks.ts";
import { matrices } from "./matrices.ts";
import { oneToken } from "./one-token.ts";
import { padding } from "./padding.ts";
import { playSettings } from "./recipes.ts";
import { readOwnText } from "./text.ts";

export interface OpenRequest {
  readonly recipe: Recipe;
  readonly changes: Readonly<Record<string, unknown>>;
}

async function open(engine: Engine, { recipe, changes }: OpenRequest): Promise<RunState> {
  return engine.open(playSettings(recipe, changes));
}

export interface TextRequest extends OpenRequest {
  /** null for the tales. */
  readonly text: { readonly name: string; readonly file: Blob } | null;
}

/** Trains on another text from now on. */
async function useText(engine: Engine, { recipe, changes, text }: TextRequest): Promise<RunState> {
  const own = text === null ? null : await readOwnText(text.name, text.file);
  return engine.train(playSettings(recipe, changes), own);
}

async function setMask(engine: Engine, mask: MaskMode): Promise<void> {
  engine.mask = mask;
}

async function start(engine: Engine, _: null): Promise<void> {
  engine.start();
}

async function stop(engine: Engine, _: null): Promise<void> {
  engine.stop();
}

async function step(engine: Engine, _: null): Promise<void> {
  await engine.stepOnce();
}

export const questions = {
  open,
  useText,
  setMask,
  start,
  stop,
  step,
  matrices,
  leaks,
  oneToken,
  beams,
  padding,
  fill,
  continueText,
  answerString,
  trainSide,
};

export type Questions = typeof questions;
export type QuestionName = keyof Questions;
export type RequestOf<Name extends QuestionName> = Parameters<Questions[Name]>[1];
export type AnswerOf<Name extends QuestionName> = Awaited<ReturnType<Questions[Name]>>;

export function isQuestion(name: string): name is QuestionName {
  return Object.hasOwn(questions, name);
}
