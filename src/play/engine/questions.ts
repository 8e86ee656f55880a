/** Every question that the page may ask its engine: one function each. The page takes their types from here. */
import type { MaskMode } from "../masks.ts";
import type { RunState } from "../protocol.ts";
import type { Recipe } from "../settings.ts";
import type { Engine } from "./engine.ts";
import { playSettings } from "./recipes.ts";
import type { OwnText } from "./text.ts";

export interface OpenRequest {
  readonly recipe: Recipe;
  readonly changes: Readonly<Record<string, unknown>>;
  /** null for the tales. */
  readonly text: OwnText | null;
}

async function open(engine: Engine, { recipe, changes, text }: OpenRequest): Promise<RunState> {
  return engine.open(playSettings(recipe, changes), text);
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

export const questions = { open, setMask, start, stop, step };

export type Questions = typeof questions;
export type QuestionName = keyof Questions;
export type RequestOf<Name extends QuestionName> = Parameters<Questions[Name]>[1];
export type AnswerOf<Name extends QuestionName> = Awaited<ReturnType<Questions[Name]>>;

export function isQuestion(name: string): name is QuestionName {
  return Object.hasOwn(questions, name);
}
