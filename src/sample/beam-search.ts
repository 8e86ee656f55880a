/**
 * Beam search: instead of one continuation, the best few so far are extended side by side, each in its own row of the
 * cache.
 *
 *   score = Σ ln p(token) / ((5 + length) / 6)^lengthPenalty
 *
 * Plain beam search can miss the greedy result: one poor-looking step drops greedy's path from the beam, although it
 * would win later. Here greedy's path is never dropped: if it is not among the best, it gets an extra row. So the first
 * result never scores lower than greedy's. It is still a heuristic: finding the best sequence for certain takes one
 * beam per possible sequence.
 *
 * Sources: Graves 2012, §3 (decoding by beam search); Wu et al. 2016, §7 (the length penalty).
 */

import { SampleError } from "../errors.ts";
import { exp, log } from "../math.ts";
import type { GPT } from "../nn/gpt.ts";
import { checkChoice, checkTypes } from "../util/check-types.ts";
import { largestOf } from "../util/extremes.ts";
import { bestFirst } from "./best-first.ts";
import { candidatesOf, logProbabilitiesOf } from "./candidates.ts";
import {
  checkPrompts,
  checkTokenCount,
  type EndReason,
  newestHalf,
  OVERFLOWS,
  type Overflow,
  positionsNeeded,
} from "./generate.ts";
import { nextLogitsOfRows } from "./logits.ts";
import { checkRepetitionSettings, isSet, type RepetitionSettings } from "./settings.ts";
import { applyRules, mostProbable, repetitionRulesOf } from "./strategies.ts";

/**
 * The repetition rules apply as for greedy. The n-gram rule forbids tokens without changing the probabilities of the
 * others. With a repetition penalty, the search compares the penalized probabilities.
 */
export interface BeamSettings extends RepetitionSettings {
  /** The number of continuations to extend in parallel. It may exceed the vocabulary size. */
  readonly beams: number;
  /** The maximum number of results; there may be fewer if there are fewer continuations. */
  readonly best: number;
  /** 0 compares ln p unchanged; higher values favor longer continuations. */
  readonly lengthPenalty: number;
}

export interface BeamOptions {
  /** The maximum number of tokens to generate. */
  readonly tokens: number;
  readonly settings: BeamSettings;
  /** What to do when the context is full, as for `generate`. All beams have the same length, so they slide together. */
  readonly overflow: Overflow;
  /**
   * Whether these generated tokens end a continuation, like a stop string. It keeps its score, and frees its place in
   * the beam.
   */
  readonly ends?: (tokens: readonly number[]) => boolean;
}

export interface Hypothesis {
  readonly tokens: readonly number[];
  /** ln p of each token in the model's distribution, before any rule. */
  readonly logProbabilities: readonly number[];
  /** The score that the search maximizes. */
  readonly score: number;
  readonly ended: EndReason;
}

/** The result of one step of the search. */
export interface BeamStep {
  /** The paths in the beam, best first; greedy's path comes last if it is not among the best. */
  readonly followed: readonly BeamPath[];
  /** The paths that ended in this step. */
  readonly ended: readonly BeamPath[];
  /** The best few of the dropped paths. */
  readonly dropped: readonly BeamPath[];
  /** The number of continuations compared. */
  readonly compared: number;
  /** The number of continuations that the n-gram rule excluded. */
  readonly forbidden: number;
}

/** A partial continuation. */
export interface BeamPath {
  readonly tokens: readonly number[];
  readonly logProbabilities: readonly number[];
  /** Σ ln p so far, in the distribution that the search compares. */
  readonly total: number;
  /** Whether this is greedy's path. */
  readonly greedy: boolean;
  /** The row of the cache that it extends. */
  readonly row: number;
}

/** The maximum number of dropped paths to report. */
const REPORTED = 5;

/**
 * Searches for the most probable continuations of a prompt.
 *
 * @param prompt at least one token id
 * @returns      the best results, best first, as the generator's return value
 * @throws SampleError for an empty prompt or settings out of range
 * @throws LogitsError if no token can be chosen, for example because the model's weights are not finite
 * @throws TokenError if the prompt contains an id outside the vocabulary
 * @example
 * const search = beamSearch(model, tokenizer.encode("Once"), {
 *   tokens: 20,
 *   settings: { beams: 4, best: 1, lengthPenalty: 1 },
 *   overflow: "stop",
 * });
 * let next = await search.next();
 * while (!next.done) next = await search.next(); // next.value describes one step
 * tokenizer.decode(next.value[0].tokens);
 */
export async function* beamSearch(
  model: GPT,
  prompt: ArrayLike<number>,
  options: BeamOptions,
): AsyncGenerator<BeamStep, Hypothesis[], void> {
  checkTypes("beamSearch", { options }, { options: "object" });
  const { tokens, settings, overflow, ends } = options;
  checkTypes("beamSearch", { settings, ends }, { settings: "object", ends: "function?" });
  checkChoice("overflow", overflow, OVERFLOWS);
  checkTokenCount(tokens);
  checkBeamSettings(settings);
  checkPrompts(model, [prompt]);
  const { contextLength } = model.config;
  const beginning = Array.from(prompt);
  const finished: Hypothesis[] = [];
  let paths: readonly BeamPath[] = [{ tokens: [], logProbabilities: [], total: 0, greedy: true, row: 0 }];
  let reason: EndReason = "length";
  const cache = model.makeCache(1, positionsNeeded(contextLength, beginning.length, tokens));
  try {
    let unread = [beginning.slice(-contextLength)];
    for (let length = 0; length < tokens && !isDecided(paths, finished, options); length++) {
      if (cache.length + unread[0].length > contextLength) {
        reason = "context";
        if (overflow === "stop") break;
        reason = "length";
        cache.clear();
        unread = paths.map((path) => newestHalf([...beginning, ...path.tokens], contextLength));
      }
      const logits = await nextLogitsOfRows(model, cache, unread);
      const histories = paths.map((path) => [...beginning, ...path.tokens]);
      const step = advance(paths, logits, histories, settings, ends);
      yield step;
      for (const path of step.ended) finished.push(finish(path, settings, "stop"));
      keepBest(finished, settings.best);
      paths = step.followed;
      cache.select(paths.map(({ row }) => row));
      unread = paths.map((path) => path.tokens.slice(-1));
    }
    for (const path of paths) finished.push(finish(path, settings, reason));
    return keepBest(finished, settings.best);
  } finally {
    cache.free();
  }
}

/** Extends every path by every allowed token, and keeps the best. */
function advance(
  paths: readonly BeamPath[],
  logits: readonly ArrayLike<number>[],
  histories: readonly (readonly number[])[],
  settings: BeamSettings,
  ends: BeamOptions["ends"],
): BeamStep {
  const rules = repetitionRulesOf(settings);
  const expansions: Expansion[] = [];
  let forbidden = 0;
  for (const [row, path] of paths.entries()) {
    const offered = candidatesOf(logits[row]);
    const stages = applyRules(rules, offered, histories[row]);
    const left = stages.at(-1)?.left ?? offered;
    forbidden += offered.ids.length - left.ids.length;
    const scored = isSet(settings.repetitionPenalty) ? stages[0].left : offered;
    const [own, compared] = [offered, scored].map(logProbabilitiesOf);
    const greedyToken = path.greedy ? mostProbable(left) : null;
    let place = 0;
    for (const token of left.ids) {
      while (offered.ids[place] !== token) place++;
      expansions.push({
        row,
        token,
        logProbability: own[place],
        total: path.total + compared[place],
        greedy: token === greedyToken,
      });
    }
  }
  return choosePaths(paths, expansions, forbidden, settings.beams, ends);
}

/** A path with one more token. */
interface Expansion {
  readonly row: number;
  readonly token: number;
  readonly logProbability: number;
  readonly total: number;
  readonly greedy: boolean;
}

function choosePaths(
  paths: readonly BeamPath[],
  expansions: readonly Expansion[],
  forbidden: number,
  beams: number,
  ends: BeamOptions["ends"],
): BeamStep {
  const followed: BeamPath[] = [];
  const ended: BeamPath[] = [];
  const dropped: BeamPath[] = [];
  for (const place of bestFirst(expansions.map(({ total }) => total))) {
    const path = extend(paths, expansions[place]);
    if (followed.length < beams) (ends?.(path.tokens) ? ended : followed).push(path);
    else if (dropped.length < REPORTED && !path.greedy) dropped.push(path);
    else if (dropped.length === REPORTED) break;
  }
  const greedy = expansions.find((expansion) => expansion.greedy);
  if (greedy !== undefined && ![...followed, ...ended].some((path) => path.greedy)) {
    const path = extend(paths, greedy);
    (ends?.(path.tokens) ? ended : followed).push(path);
  }
  return { followed, ended, dropped, compared: expansions.length, forbidden };
}

function extend(
  paths: readonly BeamPath[],
  { row, token, logProbability, total, greedy }: Expansion,
): BeamPath {
  const { tokens, logProbabilities } = paths[row];
  return {
    tokens: [...tokens, token],
    logProbabilities: [...logProbabilities, logProbability],
    total,
    greedy,
    row,
  };
}

/**
 * Whether no path in the beam can still reach the best results. A total only falls as a path grows, and full length
 * divides it by the most.
 */
function isDecided(
  paths: readonly BeamPath[],
  finished: readonly Hypothesis[],
  { tokens, settings }: BeamOptions,
): boolean {
  if (paths.length === 0) return true;
  if (finished.length < settings.best) return false;
  const upperBound = largestOf(paths.map(({ total }) => scoreOf(total, tokens, settings)));
  return finished[finished.length - 1].score >= upperBound;
}

function finish(path: BeamPath, settings: BeamSettings, ended: EndReason): Hypothesis {
  const { tokens, logProbabilities, total } = path;
  return { tokens, logProbabilities, score: scoreOf(total, tokens.length, settings), ended };
}

/** Sorts best first, and removes all but the best `count`. */
function keepBest(hypotheses: Hypothesis[], count: number): Hypothesis[] {
  hypotheses.sort((a, b) => b.score - a.score);
  hypotheses.length = Math.min(hypotheses.length, count);
  return hypotheses;
}

/** The score of a continuation of `length` tokens, whose total is Σ ln p. */
export function scoreOf(
  total: number,
  length: number,
  { lengthPenalty }: Pick<BeamSettings, "lengthPenalty">,
): number {
  return total / exp(lengthPenalty * log((5 + length) / 6));
}

/** @throws SampleError for the first setting out of range */
export function checkBeamSettings(settings: BeamSettings): void {
  const { beams, best, lengthPenalty } = settings;
  if (!Number.isSafeInteger(beams) || beams < 1) {
    throw new SampleError(`\`beams\` must be a whole number ≥ 1: got ${beams}; 1 is greedy`);
  }
  if (!Number.isSafeInteger(best) || best < 1 || best > beams) {
    throw new SampleError(`\`best\` must be a whole number from 1 to \`beams\`, here ${beams}: got ${best}`);
  }
  if (!(lengthPenalty >= 0 && Number.isFinite(lengthPenalty))) {
    throw new SampleError(
      `\`lengthPenalty\` must be a finite number ≥ 0: got ${lengthPenalty}; 0 compares log-probabilities unchanged`,
    );
  }
  checkRepetitionSettings(settings);
}
