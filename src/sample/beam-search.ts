/**
 * Beam search: instead of one continuation, the best few so far are followed side by side, one row of the cache each.
 * A prompt and settings enter; the best continuations that were found leave.
 *
 *   score = Σ ln p(token) / ((5 + length) / 6)^lengthPenalty
 *
 * Beam search alone does not promise to find what greedy finds: greedy's path can fall out of the beam by a step that
 * looks poor, and win later. Here it may not fall out: when it is not among the best it is followed in a row of its
 * own. So the first result never has a lower score than greedy's. It is still a search: only as many beams as there
 * are sequences find the best of all for certain.
 *
 * Sources: Graves 2012, §3 (decoding by beam search); Wu et al. 2016, §7 (the length penalty).
 */
import { SampleError } from "../errors.ts";
import { exp, log } from "../math.ts";
import type { GPT } from "../nn/gpt.ts";
import { bestFirst } from "./best-first.ts";
import { candidatesOf, logProbabilitiesOf } from "./candidates.ts";
import { checkPrompts, checkTokenCount, type EndReason, newestHalf, type Overflow } from "./generate.ts";
import { nextLogitsOfRows } from "./logits.ts";
import { checkRepetitionSettings, isSet, type RepetitionSettings } from "./settings.ts";
import { applyRules, mostProbable, repetitionRulesOf } from "./strategies.ts";

/**
 * The rules against repetition hold here as they do for greedy. The n-gram rule forbids; it does not change the
 * probability of what it lets pass. With a penalty, the search compares the probabilities that the penalty leaves.
 */
export interface BeamSettings extends RepetitionSettings {
  /** How many continuations are followed at once; more than there are tokens in the vocabulary may be. */
  readonly beams: number;
  /** How many results are given, at most: fewer when there are not as many continuations. */
  readonly best: number;
  /** 0 compares ln p as it is; above 0, the longer a continuation the milder its ln p is judged. */
  readonly lengthPenalty: number;
}

export interface BeamOptions {
  /** How many tokens to generate at most. */
  readonly tokens: number;
  readonly settings: BeamSettings;
  /** What to do when the context is full, as for `generate`; all beams are of one length and slide together. */
  readonly overflow: Overflow;
  /** Whether these generated tokens end a continuation, as a stop string does. It keeps its score, and its place in
   * the beam is free for another. */
  readonly ends?: (tokens: readonly number[]) => boolean;
}

export interface Hypothesis {
  readonly tokens: readonly number[];
  /** ln p of each token by the model's own distribution, before any rule. */
  readonly logProbabilities: readonly number[];
  /** What the search compares. */
  readonly score: number;
  readonly ended: EndReason;
}

/** What one step of the search did. */
export interface BeamStep {
  /** What is followed on, best first; greedy's path at the end where it was kept for its own sake. */
  readonly followed: readonly BeamPath[];
  /** What this step ended. */
  readonly ended: readonly BeamPath[];
  /** The best few of what was given up. */
  readonly dropped: readonly BeamPath[];
  /** How many continuations were compared. */
  readonly compared: number;
  /** How many the n-gram rule had forbidden. */
  readonly forbidden: number;
}

/** A continuation in the making. */
export interface BeamPath {
  readonly tokens: readonly number[];
  readonly logProbabilities: readonly number[];
  /** Σ ln p, as far as it goes: of the scored distribution. */
  readonly total: number;
  /** Whether greedy would have come here. */
  readonly greedy: boolean;
  /** The row of the cache that it continues. */
  readonly row: number;
}

/** Of what is given up, so many are reported. */
const REPORTED = 5;

/**
 * Searches for the most probable continuations of a prompt.
 *
 * @param prompt at least one token id
 * @returns      the best results, best first, as the generator's return value
 * @throws SampleError for an empty prompt or settings out of range
 * @throws LogitsError when no token can be chosen, as when the model's weights are not finite
 * @throws TokenError when the prompt holds an id outside the vocabulary
 */
export async function* beamSearch(
  model: GPT,
  prompt: ArrayLike<number>,
  options: BeamOptions,
): AsyncGenerator<BeamStep, Hypothesis[], void> {
  const { tokens, settings, overflow, ends } = options;
  checkTokenCount(tokens);
  checkBeamSettings(settings);
  checkPrompts(model, [prompt]);
  const { contextLength } = model.config;
  const beginning = Array.from(prompt);
  const finished: Hypothesis[] = [];
  let paths: readonly BeamPath[] = [{ tokens: [], logProbabilities: [], total: 0, greedy: true, row: 0 }];
  let reason: EndReason = "length";
  const cache = model.makeCache(1);
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

/** Every path by every token that may follow it: the best go on. */
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

/** Whether nothing that is still followed can come among the best: a total only falls, and is judged mildest at full length. */
function isDecided(
  paths: readonly BeamPath[],
  finished: readonly Hypothesis[],
  { tokens, settings }: BeamOptions,
): boolean {
  if (paths.length === 0) return true;
  if (finished.length < settings.best) return false;
  const hope = Math.max(...paths.map(({ total }) => scoreOf(total, tokens, settings)));
  return finished[finished.length - 1].score >= hope;
}

function finish(path: BeamPath, settings: BeamSettings, ended: EndReason): Hypothesis {
  const { tokens, logProbabilities, total } = path;
  return { tokens, logProbabilities, score: scoreOf(total, tokens.length, settings), ended };
}

/** Sorts, best first, and forgets all but the best. */
function keepBest(hypotheses: Hypothesis[], count: number): Hypothesis[] {
  hypotheses.sort((a, b) => b.score - a.score);
  hypotheses.length = Math.min(hypotheses.length, count);
  return hypotheses;
}

function scoreOf(total: number, length: number, { lengthPenalty }: BeamSettings): number {
  return total / exp(lengthPenalty * log((5 + length) / 6));
}

/** @throws SampleError for the first setting that is out of range */
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
      `\`lengthPenalty\` must be a finite number ≥ 0: got ${lengthPenalty}; 0 compares log-probabilities as they are`,
    );
  }
  checkRepetitionSettings(settings);
}
