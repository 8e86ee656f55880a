/** The questions of the page's sections, other than those of training. */
import type { GivenFile, RunState } from "../protocol.ts";
import { beams } from "./beams.ts";
import { comparisonOf } from "./comparison.ts";
import type { Engine } from "./engine.ts";
import { readGivenRun } from "./given-run.ts";
import { type Taken, take } from "./intake.ts";
import { answerString, continueText, fill, trainSide } from "./kinds.ts";
import { leaks } from "./leaks.ts";
import { matrices } from "./matrices.ts";
import { oneToken } from "./one-token.ts";
import { padding } from "./padding.ts";
import type { OpenRequest } from "./questions.ts";
import { playSettings } from "./recipes.ts";
import { packRun, type SavedRun } from "./saved-run.ts";

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
  comparisonOf(engine).start();
}

async function stopComparing(engine: Engine, _: null): Promise<void> {
  comparisonOf(engine).stop();
}

/** Continues a run that the browser keeps. */
async function resumeKept(engine: Engine, id: string): Promise<void> {
  await engine.kept.resume(id, readGivenRun);
}

async function forgetKept(engine: Engine, id: string): Promise<void> {
  await engine.kept.forget(id);
}

/** Saves the run in training for a person to download. */
async function save(engine: Engine, _: null): Promise<SavedRun> {
  return packRun(engine.run);
}

export const sectionQuestions = {
  useTales,
  takeFiles,
  forgetWaiting,
  resumeKept,
  forgetKept,
  save,
  compare,
  stopComparing,
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

export type SectionQuestions = typeof sectionQuestions;
