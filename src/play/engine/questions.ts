/** Every question that the page may ask its engine: one function each. The page takes their types from here. */
import type { MaskMode } from "../masks.ts";
import type { GivenFile, RunState } from "../protocol.ts";
import type { Recipe } from "../settings.ts";
import { beams } from "./beams.ts";
import type { Engine } from "./engine.ts";
import { type Taken, take } from "./intake.ts";
import { answerString, continueText, fill, trainSide } from "./kinds.ts";
import { leaks } from "./leaks.ts";
import { matrices } from "./matrices.ts";
import { oneToken } from "./one-token.ts";
import { padding } from "./padding.ts";
import { playSettings } from "./recipes.ts";
import { packRun, type SavedRun } from "./saved-run.ts";

export interface OpenRequest {
  readonly recipe: Recipe;
  readonly changes: Readonly<Record<string, unknown>>;
}

async function open(engine: Engine, { recipe, changes }: OpenRequest): Promise<RunState> {
  return engine.open(playSettings(recipe, changes));
}

/** Trains on the tales again. */
async function useTales(engine: Engine, { recipe, changes }: OpenRequest): Promise<RunState> {
  return engine.train(playSettings(recipe, changes), null);
}

export interface TakeRequest extends OpenRequest {
  readonly files: readonly GivenFile[];
}

/** Trains on the text or continues the run that a person brings in. */
async function takeFiles(engine: Engine, { recipe, changes, files }: TakeRequest): Promise<Taken> {
  return take(engine, files, playSettings(recipe, changes));
}

/** Forgets a run that waits for its text. */
async function forgetWaiting(engine: Engine, _: null): Promise<void> {
  engine.waiting = null;
}

/** Starts to train a model with the mask and one without it. */
async function compare(engine: Engine, _: null): Promise<void> {
  engine.comparison.start();
}

async function stopComparing(engine: Engine, _: null): Promise<void> {
  engine.comparison.stop();
}

/** Continues a run that the browser keeps. */
async function resumeKept(engine: Engine, id: string): Promise<void> {
  await engine.kept.resume(id);
}

async function forgetKept(engine: Engine, id: string): Promise<void> {
  await engine.kept.forget(id);
}

/** Saves the run in training for a person to download. */
async function save(engine: Engine, _: null): Promise<SavedRun> {
  return packRun(engine.run);
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
  useTales,
  takeFiles,
  forgetWaiting,
  resumeKept,
  forgetKept,
  save,
  compare,
  stopComparing,
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
