/**
 * The questions that the page may ask its engine: one function each. The page takes their types from here. Those of
 * training are in this file; the others are loaded when the page first asks one, so that training starts sooner.
 */
import type { MaskMode } from "../masks.ts";
import type { RunState } from "../protocol.ts";
import type { Recipe } from "../settings.ts";
import type { Engine } from "./engine.ts";
import { playSettings } from "./recipes.ts";
import type { SectionQuestions } from "./section-questions.ts";

export interface OpenRequest {
  readonly recipe: Recipe;
  readonly changes: Readonly<Record<string, unknown>>;
}

async function open(engine: Engine, { recipe, changes }: OpenRequest): Promise<RunState> {
  return engine.open(playSettings(recipe, changes));
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

export const trainingQuestions = { open, setMask, start, stop, step };

type TrainingQuestions = typeof trainingQuestions;
export type Questions = TrainingQuestions & SectionQuestions;
export type QuestionName = keyof Questions;
export type RequestOf<Name extends QuestionName> = Parameters<Questions[Name]>[1];
export type AnswerOf<Name extends QuestionName> = Awaited<ReturnType<Questions[Name]>>;

/** Answers a question by its name; the page's client checks that the request fits it. */
export type Answer = (engine: Engine, request: never) => Promise<unknown>;

/** @throws TypeError for an unknown name */
export async function answerOf(name: string): Promise<Answer> {
  const isTraining = Object.hasOwn(trainingQuestions, name);
  const all: Readonly<Record<string, Answer>> = isTraining
    ? trainingQuestions
    : (await import("./section-questions.ts")).sectionQuestions;
  if (!Object.hasOwn(all, name)) throw new TypeError(`no question is called ${name}`);
  return all[name];
}
