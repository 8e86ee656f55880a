/** A beam search, step by step, beside the greedy continuation. */
import { SampleError } from "../../errors.ts";
import { Random } from "../../random.ts";
import {
  type BeamPath,
  type BeamStep,
  beamSearch,
  checkBeamSettings,
  type Hypothesis,
  scoreOf,
} from "../../sample/beam-search.ts";
import { generate } from "../../sample/generate.ts";
import { hasEnd } from "../../sample/text-stream.ts";
import type { MaskMode } from "../masks.ts";
import type { Engine, Viewed } from "./engine.ts";
import type { ModelName } from "./model-names.ts";
import { defaultPrompt, promptIds } from "./prompt.ts";
import { withMask } from "./with-mask.ts";

export interface BeamsRequest {
  readonly model: ModelName;
  readonly mask: MaskMode;
  /** null for `defaultPrompt`. */
  readonly prompt: string | null;
  readonly beams: number;
  /** The maximum number of tokens. */
  readonly tokens: number;
  readonly lengthPenalty: number;
  /** A text that ends a continuation; "" for none. */
  readonly end: string;
}

export interface Beams {
  readonly prompt: string;
  /** For each step its paths: those in the beam, those that ended, and the best few that were dropped. */
  readonly steps: readonly (readonly BeamNode[])[];
  /** Best first. */
  readonly hypotheses: readonly ShownHypothesis[];
  /** What greedy decoding writes, without a search. */
  readonly greedy: ShownHypothesis;
}

/** A path, shown by its last token. */
export interface BeamNode {
  readonly text: string;
  /** Σ ln p so far. */
  readonly total: number;
  readonly state: "followed" | "ended" | "dropped";
  /** The path that it extends: its place in the step before. */
  readonly parent: number;
  /** The place of the best hypothesis that it leads to; null if it was given up. */
  readonly leadsTo: number | null;
  readonly isGreedy: boolean;
}

export interface ShownHypothesis {
  /** The text of each token. */
  readonly text: readonly string[];
  /** Σ ln p. */
  readonly total: number;
  readonly score: number;
}

/** What fits in a tree that can be read. */
const [MOST_BEAMS, MOST_TOKENS] = [5, 10];

/**
 * Searches as `nopeek sample` does with beams.
 *
 * @throws SampleError for a prompt or settings out of range
 * @throws TokenError for a character outside the vocabulary
 */
export async function beams(engine: Engine, request: BeamsRequest): Promise<Beams> {
  const viewed = await engine.viewed(request.model);
  const settings = { beams: request.beams, best: request.beams, lengthPenalty: request.lengthPenalty };
  checkBeamSettings(settings);
  checkAtMost("beams", request.beams, MOST_BEAMS);
  checkAtMost("tokens", request.tokens, MOST_TOKENS);
  const prompt = request.prompt ?? defaultPrompt(engine, request.model, viewed);
  const ids = promptIds(viewed, prompt);
  return withMask(viewed.model, request.mask, async () => {
    const { model, tokenizer } = viewed;
    const end = request.end === "" ? [] : [request.end];
    const ends = (tokens: readonly number[]) => hasEnd(tokenizer, end, tokens);
    const { tokens } = request;
    const search = beamSearch(model, ids, { tokens, settings, overflow: "stop", ends });
    const steps: BeamStep[] = [];
    let next = await search.next();
    for (; !next.done; next = await search.next()) steps.push(next.value);
    const hypotheses = next.value;
    return {
      prompt,
      steps: steps.map((step) => nodesOf(viewed, step, hypotheses)),
      hypotheses: hypotheses.map((found) => shown(viewed, found, request)),
      greedy: shown(viewed, await greedily(viewed, ids, tokens, ends), request),
    };
  });
}

function checkAtMost(name: string, count: number, most: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= most) return;
  throw new SampleError(`\`${name}\` must be a whole number from 1 to ${most} here: got ${count}`);
}

function nodesOf({ tokenizer }: Viewed, step: BeamStep, hypotheses: readonly Hypothesis[]): BeamNode[] {
  const node = (state: BeamNode["state"]) => (path: BeamPath) => {
    const place = hypotheses.findIndex(({ tokens }) => path.tokens.every((token, i) => token === tokens[i]));
    return {
      text: tokenizer.decode(path.tokens.slice(-1)),
      total: path.total,
      state,
      parent: path.row,
      leadsTo: place < 0 ? null : place,
      isGreedy: path.greedy,
    };
  };
  // The paths in the beam come first: `row` counts among them.
  return [
    ...step.followed.map(node("followed")),
    ...step.ended.map(node("ended")),
    ...step.dropped.map(node("dropped")),
  ];
}

async function greedily(
  { model }: Viewed,
  prompt: readonly number[],
  tokens: number,
  ends: (tokens: readonly number[]) => boolean,
): Promise<Pick<Hypothesis, "tokens" | "logProbabilities">> {
  const settings = { strategy: "greedy", temperature: 1, topK: null, topP: null } as const;
  const [written, logProbabilities]: [number[], number[]] = [[], []];
  const options = { tokens, settings, overflow: "stop", random: Random.of(0) } as const;
  for await (const { token, logProbability } of generate(model, prompt, options)) {
    written.push(token);
    logProbabilities.push(logProbability);
    if (ends(written)) break;
  }
  return { tokens: written, logProbabilities };
}

function shown(
  { tokenizer }: Viewed,
  { tokens, logProbabilities }: Pick<Hypothesis, "tokens" | "logProbabilities">,
  request: BeamsRequest,
): ShownHypothesis {
  const total = logProbabilities.reduce((sum, value) => sum + value, 0);
  return {
    text: tokens.map((id) => tokenizer.decode([id])),
    total,
    score: scoreOf(total, tokens.length, request),
  };
}
