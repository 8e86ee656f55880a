/**
 * Two drivers of the grammar's machine: `generate` makes choices at random, `score` follows a given text. Both return
 * ln P(tale), the sum of −ln(number of options) over the choices made. `score` also counts the derivations of the
 * text. If there is exactly one, ln P(tale) is the probability of the text itself, not just of one derivation.
 */
import type { Random } from "../../src/random.ts";
import { move, type State } from "./grammar.ts";

export interface Tale {
  readonly text: string;
  /** ln of the probability of the choices made; at most 0. */
  readonly logProbability: number;
}

export interface Score {
  /** Number of derivations of the text: 0 means impossible, more than 1 means ambiguous. */
  readonly derivations: number;
  /** ln of the probability of the last derivation found; −∞ if there is none. */
  readonly logProbability: number;
}

/** Generates a tale with the randomness of `random`. */
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

/** Finds every derivation of exactly `text`, by exhaustive search. */
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
