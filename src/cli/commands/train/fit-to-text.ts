/** Fits the settings of a new run to its text: sizes, recipe and steps. Timed steps decide what a budget of minutes allows. */
import { Context } from "../../../autograd/context.ts";
import { openBackend } from "../../../backend/open.ts";
import {
  type FittingSettings,
  fittingSettings,
  operationsPerStep,
  type TextSize,
  USUAL_MINUTES,
} from "../../../config/fit.ts";
import { parseGiven, resolveSettings, type Settings } from "../../../config/settings.ts";
import type { Corpus } from "../../../data/corpus.ts";
import { countTokens } from "../../../data/tokenized-corpus.ts";
import { ConfigError } from "../../../errors.ts";
import { GPT } from "../../../nn/gpt.ts";
import { Random } from "../../../random.ts";
import { gptConfigOf } from "../../../run/config.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import { NextToken } from "../../../train/objectives/next-token.ts";
import { Trainer } from "../../../train/trainer.ts";
import { formatBytes, formatCount, formatDuration, median, plural } from "../../../util/format.ts";
import type { ProgressReporter } from "../../../util/progress-reporter.ts";
import { type CommonFlags, threadsOf } from "../../options/settings-flags.ts";
import { checkMemory } from "../../shared/memory-check.ts";
import { nowMs } from "../../terminal/clock.ts";

const MS_PER_MINUTE = 60_000;
/** A model this small is timed first, to choose sizes by; then the chosen one. */
const PROBE = { layers: 2, heads: 4, dModel: 64, contextLength: 64, batchSize: 8 };
/** The first steps are slow, until the machine has warmed up. */
const WARM_UP_STEPS = 2;
const FEWEST_TIMED = 3;
const TIMED_MS = 500;

export interface FitFlags extends CommonFlags {
  readonly minutes?: number;
}

/**
 * Checks `--minutes`.
 *
 * @param hasBase whether a preset or another run is the starting point
 * @throws ConfigError if it is not positive, or the number of steps is decided elsewhere
 */
export function checkMinutes(flags: FitFlags & { readonly [flag: string]: unknown }, hasBase: boolean): void {
  const { minutes, steps } = flags;
  if (minutes === undefined) return;
  if (!(minutes > 0)) throw new ConfigError(`--minutes must be more than 0: got ${minutes}`);
  if (steps !== undefined)
    throw new ConfigError("--minutes and --steps both set the length of the run: got both; choose one");
  if (hasBase)
    throw new ConfigError(
      "--minutes fits a new model to the text in --data: it takes no --preset, --config, --from or --resume; set --steps",
    );
}

/** Checks given settings together, before the text that decides the others has been read. */
export function fitBeforeText(flagged: Readonly<Record<string, unknown>>): Settings {
  return resolveSettings(fittingSettings(SOME_TEXT, { operations: 0 }, parseGiven(flagged)));
}

/** The size that is assumed before a text is read. */
const SOME_TEXT: TextSize = { tokens: 1_000_000, vocabSize: 100 };

/**
 * The settings for a text: those that are given, and around them those that fit.
 *
 * @param given explicit settings. With `steps`, nothing is timed
 */
export async function fitToText(
  flagged: Readonly<Record<string, unknown>>,
  corpus: Corpus,
  tokenizer: Tokenizer,
  flags: FitFlags,
  reporter: ProgressReporter,
): Promise<Settings> {
  const given = parseGiven(flagged);
  const text = await sizeOf(corpus, tokenizer);
  if (given.steps !== undefined)
    return announce(fittingSettings(text, { operations: 0 }, given), corpus, null, reporter);
  const budgetMs = (flags.minutes ?? USUAL_MINUTES) * MS_PER_MINUTE;
  reporter.status("timing a few steps …");
  const probe = await timeSteps({ ...given, ...PROBE }, text, flags);
  const sized = fittingSettings(text, { operations: probe.operationsPerMs * budgetMs }, given);
  const { layers, heads, dModel, contextLength, batchSize } = sized;
  const chosen = { layers, heads, dModel, contextLength, batchSize };
  const timed = await timeSteps(sized, text, flags);
  reporter.status("");
  const operations = timed.operationsPerMs * budgetMs;
  const settings = fittingSettings(text, { operations }, { ...given, ...chosen });
  return announce(settings, corpus, Math.min(budgetMs, settings.steps * timed.stepMs), reporter);
}

async function sizeOf(corpus: Corpus, tokenizer: Tokenizer): Promise<TextSize> {
  const { facts } = corpus;
  if (tokenizer.kind === "char") return { tokens: facts.characters, vocabSize: facts.counts.size };
  if (tokenizer.kind === "byte") return { tokens: facts.bytes, vocabSize: 256 };
  const { tokens } = await countTokens(corpus, tokenizer, "reject");
  return { tokens, vocabSize: tokenizer.vocabSize };
}

/** Times steps of a GPT of these settings on random tokens, on a separate backend. */
async function timeSteps(
  changes: Partial<Settings>,
  { vocabSize }: TextSize,
  flags: FitFlags,
): Promise<{ stepMs: number; operationsPerMs: number }> {
  const settings = resolveSettings(changes, { model: "gpt", steps: 1_000_000 });
  const config = gptConfigOf(settings, vocabSize);
  checkMemory(config, settings.batchSize);
  const backend = await openBackend(flags.backend, threadsOf(flags), process.env.NOPEEK_BLAS || null, {
    fast: flags.fast === true,
  });
  try {
    const random = Random.of(settings.seed, "timing");
    const model = new GPT(new Context(backend), config, random);
    const ids = Int32Array.from({ length: 100 * (settings.contextLength + 1) }, () =>
      random.below(vocabSize),
    );
    const trainer = new Trainer(model, new NextToken(model, ids, settings), settings);
    const times: number[] = [];
    for (let spentMs = 0; times.length < WARM_UP_STEPS + FEWEST_TIMED || spentMs < TIMED_MS; ) {
      const startMs = nowMs();
      await trainer.step();
      times.push(nowMs() - startMs);
      spentMs += times[times.length - 1];
    }
    const stepMs = median(times.slice(WARM_UP_STEPS));
    return { stepMs, operationsPerMs: operationsPerStep(settings, vocabSize) / stepMs };
  } finally {
    await backend.close();
  }
}

/** One line about the choice. @param ms the expected time; null if it is not known */
function announce(
  fit: FittingSettings,
  { facts }: Corpus,
  ms: number | null,
  reporter: ProgressReporter,
): Settings {
  const settings = resolveSettings(fit);
  const { layers, dModel, contextLength, steps, batchSize, gradAccumulation } = settings;
  const perStep = formatCount(batchSize * contextLength * gradAccumulation);
  const time = ms === null ? "" : `, about ${formatDuration(ms)}`;
  reporter.note(
    `defaults    for a text of ${formatBytes(facts.bytes)}: ${plural(layers, "layer")}, ${dModel} channels, context ${contextLength}, ${plural(steps, "step")} of ${perStep} tokens${time}; --preset and flags override`,
  );
  return settings;
}
