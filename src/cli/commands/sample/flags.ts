/** The flags of `nopeek sample`: their help, their valid combinations, and the settings made from them. */
import { type Command, Option } from "commander";
import { flagOf } from "../../../config/settings.ts";
import { SampleError } from "../../../errors.ts";
import { Random } from "../../../random.ts";
import { type BeamSettings, checkBeamSettings } from "../../../sample/beam-search.ts";
import type { Overflow } from "../../../sample/generate.ts";
import { checkSampleCount } from "../../../sample/generate-batch.ts";
import { checkSampleSettings, type SampleSettings } from "../../../sample/settings.ts";
import { checkStops } from "../../../sample/text-stream.ts";
import type { UnknownPolicy } from "../../../text/unknown.ts";
import { escapesFlag, withEscapes } from "../../options/escapes.ts";
import { type CommonFlags, parseNumber } from "../../options/settings-flags.ts";
import { unknownFlag } from "../../options/unknown-characters.ts";
import { addModelFlags, type ModelFlags } from "../../shared/find-model.ts";

export interface SampleFlags extends CommonFlags, ModelFlags {
  readonly prompt?: readonly string[];
  readonly tokens: number;
  readonly strategy: "sample" | "greedy" | "beam";
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly noRepeatNgram?: number;
  readonly samples?: number;
  readonly items?: number;
  readonly newOnly?: boolean;
  readonly beams?: number;
  readonly best?: number;
  readonly lengthPenalty?: number;
  readonly stop?: readonly string[];
  /** Whether prompts have escapes. Stop texts always do. */
  readonly escapes?: boolean;
  /** Whether the prompt is printed before its continuation: false with `--no-echo`. */
  readonly echo?: boolean;
  readonly overflow: Overflow;
  readonly unknown?: UnknownPolicy;
  readonly seed: number;
  readonly explain?: boolean;
}

const DEFAULT_TEMPERATURE = 0.6;
const DEFAULT_BEAMS = 4;

/** Flags that only apply to some strategies. */
const STRATEGIES_OF: readonly [flag: keyof SampleFlags, strategies: readonly SampleFlags["strategy"][]][] = [
  ["temperature", ["sample", "greedy"]],
  ["topK", ["sample", "greedy"]],
  ["topP", ["sample", "greedy"]],
  ["minP", ["sample", "greedy"]],
  ["samples", ["sample"]],
  ["items", ["sample"]],
  ["beams", ["beam"]],
  ["best", ["beam"]],
  ["lengthPenalty", ["beam"]],
];

const ORDER_OF_RULES = `
Before each choice, these rules change the logits, in this order:
  --repetition-penalty, --no-repeat-ngram, --temperature, --top-k, --top-p,
  --min-p. Each rule works on the probabilities left by the previous ones.
  greedy and beam apply only the first two.`;

export function addSampleFlags(command: Command): void {
  const drawing = "Sampling:";
  const repetition = "Repetition:";
  const searching = "Beam search (--strategy beam):";
  const add = (option: Option, group?: string) =>
    command.addOption(group === undefined ? option : option.helpGroup(group));
  const number = (flag: string, help: string) => new Option(flag, help).argParser(parseNumber);

  addModelFlags(command);
  add(
    new Option(
      "--prompt <text>",
      "text to continue, or - to read it from standard input; repeat the flag for several prompts",
    )
      .argParser(collect)
      .default(undefined, "the start of a line or of a text"),
  );
  add(number("--tokens <count>", "maximum number of tokens to generate").default(500));
  add(
    new Option(
      "--strategy <name>",
      "sample: draw from the distribution; greedy: always choose the most probable token; beam: search for the most probable text",
    )
      .choices(["sample", "greedy", "beam"])
      .default("sample"),
  );
  add(
    new Option(
      "--stop <text>",
      "stop before this text, which is not printed; it has escapes, such as \\n; repeat the flag for several stop texts: the first match ends the output",
    ).argParser((text: string, before: readonly string[] = []) => [...before, withEscapes(text, "--stop")]),
  );
  add(
    new Option(
      "--overflow <what>",
      "what to do when the context is full. stop: end the text; slide: keep the newest half of the context, process it again as if the text began there, and continue (also with rotary positions, which are not trained beyond the context length)",
    )
      .choices(["slide", "stop"])
      .default("slide"),
  );
  add(escapesFlag());
  add(new Option("--no-echo", "print only what the model adds, without the prompt"));
  add(unknownFlag());
  add(
    new Option(
      "--explain",
      "for each step, print the top candidates, the effect of each rule and the chosen token on stderr",
    ),
  );
  add(
    number(
      "--temperature <number>",
      "below 1 sharpens the distribution, above 1 flattens it; 0 is greedy",
    ).default(undefined, String(DEFAULT_TEMPERATURE)),
    drawing,
  );
  add(number("--top-k <count>", "keep only the k most probable tokens"), drawing);
  add(
    number("--top-p <share>", "keep the smallest set of tokens that reaches this total probability"),
    drawing,
  );
  add(
    number("--min-p <share>", "keep tokens with at least this share of the top token's probability"),
    drawing,
  );
  add(
    number(
      "--samples <count>",
      "number of texts per prompt, generated in one batch; the first is the same as without this flag",
    ).default(undefined, "1"),
    drawing,
  );
  add(
    number(
      "--items <count>",
      "write this many documents, such as names, each to its end token, and report how many occur in the training text; for models trained with --documents",
    ),
    drawing,
  );
  add(
    new Option(
      "--new-only",
      "with --items: leave out documents that occur in the training text, and repeats",
    ),
    drawing,
  );
  add(number("--seed <number>", "random seed; the same seed generates the same text").default(1337), drawing);
  add(
    number(
      "--repetition-penalty <number>",
      "above 1 makes earlier tokens less likely: positive logits are divided by it, negative ones multiplied",
    ),
    repetition,
  );
  const ngram = number(
    "--no-repeat-ngram <size>",
    "never repeat a sequence of this many tokens, unless no other token is left",
  );
  // Commander treats every --no- flag as a negation; this one is not.
  ngram.negate = false;
  add(ngram, repetition);
  add(
    number("--beams <count>", "number of candidate texts to keep at each step").default(
      undefined,
      String(DEFAULT_BEAMS),
    ),
    searching,
  );
  add(
    number("--best <count>", "number of results to print, at most --beams").default(undefined, "1"),
    searching,
  );
  add(
    number(
      "--length-penalty <number>",
      "score = ln p / ((5 + tokens) / 6)^penalty; above 0 favors longer texts",
    ).default(undefined, "0"),
    searching,
  );
  command.addHelpText("after", ORDER_OF_RULES);
}

/** Collects the values of a repeatable flag. */
function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/**
 * Checks the flags before anything is loaded.
 *
 * @throws SampleError for the first flag that is out of range or does not apply to the strategy
 */
export function checkSampleFlags(flags: SampleFlags): void {
  const { tokens, seed, strategy } = flags;
  checkWhole("tokens", tokens);
  checkWhole("seed", seed);
  for (const [flag, strategies] of STRATEGIES_OF) {
    if (flags[flag] === undefined || strategies.includes(strategy)) continue;
    throw new SampleError(
      `--${flagOf(flag)} requires --strategy ${strategies.join(" or ")}: got --strategy ${strategy}`,
    );
  }
  checkSampleCount(samplesOf(flags));
  checkItemFlags(flags);
  if (strategy === "beam") checkBeamSettings(beamSettingsOf(flags));
  else checkSampleSettings(sampleSettingsOf(flags));
  checkStops(flags.stop ?? []);
}

function checkItemFlags({ items, newOnly, samples, explain, prompt = [] }: SampleFlags): void {
  if (items === undefined) {
    if (newOnly) throw new SampleError("--new-only needs --items: the number of documents to write");
    return;
  }
  if (!Number.isSafeInteger(items) || items < 1)
    throw new SampleError(`--items must be a whole number ≥ 1: got ${items}`);
  if (samples !== undefined)
    throw new SampleError("--items and --samples both set the number of texts: got both");
  if (explain) throw new SampleError("--explain shows the steps of texts: it takes --samples, not --items");
  if (prompt.length > 1)
    throw new SampleError(`--items continues one prompt, or none: got ${prompt.length} of them`);
}

/** Each sample has its own random stream. The first one equals that of a single text. */
export function randomOf({ seed }: SampleFlags, sample: number): Random {
  const labels = sample === 0 ? [] : [sample];
  return Random.of(seed, "sample", ...labels);
}

/** Returns the given flags that greedy ignores: these rules never drop the most probable token. */
export function ignoredFlags(flags: SampleFlags): string[] {
  if (flags.strategy !== "greedy") return [];
  const ignored = ["temperature", "topK", "topP", "minP"] as const;
  return ignored.filter((flag) => flags[flag] !== undefined).map((flag) => `--${flagOf(flag)}`);
}

export function sampleSettingsOf(flags: SampleFlags): SampleSettings {
  const { temperature, topK, topP, minP } = flags;
  return {
    strategy: flags.strategy === "greedy" ? "greedy" : "sample",
    temperature: temperature ?? DEFAULT_TEMPERATURE,
    topK: topK ?? null,
    topP: topP ?? null,
    minP: minP ?? null,
    ...repetitionSettingsOf(flags),
  };
}

export function beamSettingsOf(flags: SampleFlags): BeamSettings {
  const { beams, best, lengthPenalty } = flags;
  return {
    beams: beams ?? Math.max(DEFAULT_BEAMS, best ?? 1),
    best: best ?? 1,
    lengthPenalty: lengthPenalty ?? 0,
    ...repetitionSettingsOf(flags),
  };
}

export function samplesOf({ samples }: SampleFlags): number {
  return samples ?? 1;
}

function repetitionSettingsOf({ repetitionPenalty, noRepeatNgram }: SampleFlags) {
  return { repetitionPenalty: repetitionPenalty ?? null, noRepeatNgram: noRepeatNgram ?? null };
}

function checkWhole(flag: keyof SampleFlags, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new SampleError(`--${flagOf(flag)} must be a whole number ≥ 0: got ${value}`);
}
