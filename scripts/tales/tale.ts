/**
 * The two drivers of the grammar's machine: `generate` lets chance choose, `score` lets a given text choose.
 * Both give ln P(tale), the sum of −ln(number of options) over the choices made; `score` also counts in how many ways
 * the grammar can make the text. When that is 1, ln P(tale) is the probability of the text itself and not merely of
 * one way to it.
 */
import type { Random } from "../../src/random.ts";
import { move, type State } from "./grammar.ts";

export interface Tale {
  readonly text: string;
  /** ln of the probability of the choices that made it; at most 0. */
  readonly logProbability: number;
}

export interface Score {
  /** In how many ways the grammar makes the text: 0 means not at all, more than 1 means ambiguous. */
  readonly derivations: number;
  /** ln of the probability of the last derivation found; −∞ when there is none. */
  readonly logProbability: number;
}

/** One tale, drawn by `random`. */
export function generate(start: State, random: Random): Tale {
  let text = "";
  let logProbability = 0;
  for (let state = start; ; ) {
    const next = move(state);
    if (next.kind === "end") return { text, logProbability };
    if (next.kind === "say") {
      text += next.text;
      state = next.rest;
    } else {
      logProbability -= Math.log(next.options.length);
      state = next.options[random.below(next.options.length)]!;
    }
  }
}

/** Every way in which the grammar makes exactly `text`, searched to the end. */
export function score(start: State, text: string): Score {
  let derivations = 0;
  let found = Number.NEGATIVE_INFINITY;
  const search = (from: State, at: number, logProbability: number): void => {
    let state = from;
    let next = move(state);
    while (next.kind === "say") {
      if (!text.startsWith(next.text, at)) return;
      at += next.text.length;
      state = next.rest;
      next = move(state);
    }
    if (next.kind === "choose") {
      const chosen = logProbability - Math.log(next.options.length);
      for (const option of next.options) search(option, at, chosen);
    } else if (at === text.length) {
      derivations++;
      found = logProbability;
    }
  };
  search(start, 0, 0);
  return { derivations, logProbability: found };
}
