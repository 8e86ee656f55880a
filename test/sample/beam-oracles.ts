/**
 * Oracles for beamSearch, computed with full passes and no cache: exhaustive search, greedy decoding, and textbook
 * beam search.
 */
import type { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import type { BeamOptions } from "../../src/sample/beam-search.ts";
import { type EndReason, generate } from "../../src/sample/generate.ts";
import { fullLogits } from "../../src/sample/logits.ts";

export const PROMPT = [1, 0, 2];

export const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** ln p of every token after a sequence, with Math.exp and Math.log, and with the repetition penalty. */
export async function logProbabilitiesAfter(
  model: GPT,
  sequence: readonly number[],
  penalty = 1,
): Promise<number[]> {
  const logits = [...(await fullLogits(model, sequence))].slice(-model.config.vocabSize);
  const weighed = logits.map((x, id) => {
    if (!sequence.includes(id)) return x;
    return x > 0 ? x / penalty : x * penalty;
  });
  const highest = Math.max(...weighed);
  const total = Math.log(sum(weighed.map((x) => Math.exp(x - highest))));
  return weighed.map((x) => x - highest - total);
}

export interface Rules {
  readonly tokens: number;
  readonly penalty?: number;
  readonly ngram?: number;
  readonly ends?: (tokens: readonly number[]) => boolean;
  readonly lengthPenalty?: number;
}

/** All continuations, best first. */
export async function exhaust(model: GPT, { tokens, penalty, ngram, ends, lengthPenalty = 0 }: Rules) {
  const found: { tokens: number[]; score: number; ended: EndReason }[] = [];
  const repeats = (all: readonly number[]) => {
    if (ngram === undefined) return false;
    const runs = all.slice(ngram - 1).map((_, i) => all.slice(i, i + ngram).join());
    return runs.indexOf(runs[runs.length - 1]) < runs.length - 1;
  };
  const visit = async (soFar: readonly number[], total: number): Promise<void> => {
    const over = soFar.length === tokens;
    const ended = soFar.length > 0 && (ends?.(soFar) ?? false);
    if (over || ended) {
      const score = total / ((5 + soFar.length) / 6) ** lengthPenalty;
      found.push({ tokens: [...soFar], score, ended: ended ? "stop" : "length" });
      return;
    }
    const sequence = [...PROMPT, ...soFar];
    const logProbabilities = await logProbabilitiesAfter(model, sequence, penalty);
    const allowed = [...logProbabilities.keys()].filter((token) => !repeats([...sequence, token]));
    for (const token of allowed.length === 0 ? logProbabilities.keys() : allowed) {
      await visit([...soFar, token], total + logProbabilities[token]);
    }
  };
  await visit([], 0);
  return found.sort((a, b) => b.score - a.score);
}

/** The greedy continuation and its ln p. */
export async function greedy(model: GPT, { tokens, overflow, ends, settings }: BeamOptions, prompt = PROMPT) {
  const { repetitionPenalty = null, noRepeatNgram = null } = settings;
  const written: number[] = [];
  const logProbabilities: number[] = [];
  const stream = generate(model, prompt, {
    tokens,
    overflow,
    random: Random.of(1),
    settings: {
      strategy: "greedy",
      temperature: 1,
      topK: null,
      topP: null,
      repetitionPenalty,
      noRepeatNgram,
    },
    stop: () => ends?.(written) ?? false,
  });
  for await (const { token, logProbability } of stream) {
    written.push(token);
    logProbabilities.push(logProbability);
  }
  return { tokens: written, logProbabilities, logProbability: sum(logProbabilities) };
}

/** Textbook beam search, which does not keep greedy's path. */
export async function plainBeamSearch(model: GPT, beams: number, tokens: number) {
  let paths: { tokens: number[]; total: number }[] = [{ tokens: [], total: 0 }];
  for (let length = 0; length < tokens; length++) {
    const longer: typeof paths = [];
    for (const path of paths) {
      const logProbabilities = await logProbabilitiesAfter(model, [...PROMPT, ...path.tokens]);
      for (const [token, each] of logProbabilities.entries()) {
        longer.push({ tokens: [...path.tokens, token], total: path.total + each });
      }
    }
    paths = longer.sort((a, b) => b.total - a.total).slice(0, beams);
  }
  return paths;
}
