/** One step of generation: from the logits, through each rule, to the draw, with the KV cache that it used. */
import { SampleError } from "../../errors.ts";
import { Random } from "../../random.ts";
import { probabilitiesOf } from "../../sample/candidates.ts";
import { type ExplainedCandidate, type ExplainedRule, explain } from "../../sample/explain.ts";
import { nextLogits } from "../../sample/logits.ts";
import { checkSampleSettings, type SampleSettings } from "../../sample/settings.ts";
import { type Choice, choose } from "../../sample/strategies.ts";
import { TokenHistory } from "../../sample/token-history.ts";
import type { MaskMode } from "../masks.ts";
import { type BothWays, compareBothWays } from "./both-ways.ts";
import { type CacheView, viewCache } from "./cache-view.ts";
import type { Engine, Viewed } from "./engine.ts";
import type { ModelName } from "./model-names.ts";
import { defaultPrompt, promptIds } from "./prompt.ts";
import { countScores } from "./scores.ts";
import { withMask } from "./with-mask.ts";

export interface OneTokenRequest {
  readonly model: ModelName;
  readonly mask: MaskMode;
  /** null for `defaultPrompt`. */
  readonly prompt: string | null;
  /** Which token after the prompt, from 1. The last that fits in the context if it is higher. */
  readonly step: number;
  readonly settings: DrawSettings;
}

/** The settings of a draw; null leaves a rule out. */
export type DrawSettings = Omit<SampleSettings, "strategy" | "noRepeatNgram"> & { readonly seed: number };

export interface OneToken {
  readonly prompt: string;
  readonly step: number;
  /** The number of steps that fit in the context. */
  readonly steps: number;
  /** The text of each token; the drawn one is the last. */
  readonly text: readonly string[];
  /** The number of tokens that the pass of this step read; the keys and values of earlier ones were in the cache. */
  readonly read: number;
  readonly vocabulary: number;
  readonly candidates: readonly ShownCandidate[];
  readonly rules: readonly ShownRule[];
  /** The uniform number of the draw; null if the most probable token was chosen. */
  readonly uniform: number | null;
  readonly cache: CacheView;
  readonly scores: StepScores;
  readonly ways: BothWays;
}

export interface ShownCandidate extends ExplainedCandidate {
  readonly text: string;
  readonly logit: number;
  readonly isDrawn: boolean;
  /** The sum of the probabilities of the tokens with lower ids. It is drawn if the uniform number is in start … end. */
  readonly start: number;
  readonly end: number;
}

export interface ShownRule extends ExplainedRule {
  /** The best of the dropped tokens. */
  readonly droppedText: readonly string[];
  readonly changedText: readonly string[];
}

/** The scores q·k of each head that the mask lets through in the pass of this step. */
export interface StepScores {
  readonly withCache: number;
  readonly withoutCache: number;
  /** Heads in all layers. */
  readonly heads: number;
}

/** The candidates that are listed. */
const SHOWN = 10;

/**
 * Computes a step of generation as `nopeek sample` does with the same prompt, settings and seed.
 *
 * @throws SampleError for a prompt or settings out of range
 * @throws TokenError for a character outside the vocabulary
 */
export async function oneToken(engine: Engine, request: OneTokenRequest): Promise<OneToken> {
  const { seed, ...given } = request.settings;
  const settings: SampleSettings = { strategy: "sample", ...given };
  checkSampleSettings(settings);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new SampleError(`\`seed\` must be a whole number ≥ 0: got ${seed}`);
  const viewed = await engine.viewed(request.model);
  const prompt = request.prompt ?? defaultPrompt(engine, request.model, viewed);
  const ids = promptIds(viewed, prompt);
  return withMask(viewed.model, request.mask, async () => {
    const steps = viewed.model.config.contextLength - ids.length + 1;
    const step = Math.max(1, Math.min(request.step, steps));
    const random = Random.of(seed, "sample");
    const made = await generateTo(viewed, ids, step, settings, random);
    const ways = await compareBothWays(viewed.model, made.ids, engine.host.now);
    const text = [...made.ids, made.choice.token].map((id) => viewed.tokenizer.decode([id]));
    return { prompt, step, steps, text, ...explained(viewed, made), ways };
  });
}

/** A step: the ids that the model has read when it chooses, how many of them in this step, and the choice. */
interface MadeStep {
  readonly ids: readonly number[];
  readonly read: number;
  readonly choice: Choice;
  readonly uniform: number | null;
  readonly cache: CacheView;
}

async function generateTo(
  { model }: Viewed,
  prompt: readonly number[],
  steps: number,
  settings: SampleSettings,
  random: Random,
): Promise<MadeStep> {
  const history = new TokenHistory(prompt);
  const cache = model.makeCache(1);
  try {
    let unread = prompt;
    for (let step = 1; ; step++) {
      const logits = await nextLogits(model, cache, unread);
      const uniform = settings.temperature === 0 ? null : Random.from(random.state()).uniform();
      const choice = choose(logits, history, settings, random);
      if (step === steps) {
        const view = await viewCache(model, cache);
        return { ids: history.slice(0), read: unread.length, choice, uniform, cache: view };
      }
      history.push(choice.token);
      unread = [choice.token];
    }
  } finally {
    cache.free();
  }
}

function explained({ model, tokenizer }: Viewed, { ids, read, choice, uniform, cache }: MadeStep) {
  const text = (id: number) => tokenizer.decode([id]);
  const { candidates, rules } = explain(choice, SHOWN);
  const spans = spansOf(choice);
  const { heads, layers, vocabSize } = model.config;
  return {
    read,
    uniform,
    cache,
    vocabulary: vocabSize,
    candidates: candidates.map((candidate) => ({
      ...candidate,
      ...(spans.get(candidate.token) ?? { start: 0, end: 0 }),
      text: text(candidate.token),
      logit: choice.offered.logits[choice.offered.ids.indexOf(candidate.token)],
      isDrawn: candidate.token === choice.token,
    })),
    rules: rules.map((rule) => ({
      ...rule,
      droppedText: rule.bestDropped.map(text),
      changedText: rule.bestChanged.map(text),
    })),
    scores: {
      withCache: countScores(model, read, ids.length),
      withoutCache: countScores(model, ids.length, ids.length),
      heads: heads * layers,
    },
  };
}

/** Where the uniform number of a draw selects each token, summed as the draw sums. */
function spansOf({ offered, stages }: Choice): ReadonlyMap<number, { start: number; end: number }> {
  const left = stages.at(-1)?.left ?? offered;
  const spans = new Map<number, { start: number; end: number }>();
  let sum = 0;
  probabilitiesOf(left).forEach((probability, place) => {
    const start = sum;
    sum += probability;
    spans.set(left.ids[place], { start, end: sum });
  });
  return spans;
}
