/** The flags of `nopeek sample`: what each means, which go together, and the settings that they make. */
import { type Command, Option } from "commander";
import { flagOf } from "../../../config/settings.ts";
import { SampleError } from "../../../errors.ts";
import { type BeamSettings, checkBeamSettings } from "../../../sample/beam-search.ts";
import type { Overflow } from "../../../sample/generate.ts";
import { checkSampleCount } from "../../../sample/generate-batch.ts";
import { checkSampleSettings, type SampleSettings } from "../../../sample/settings.ts";
import { checkStops } from "../../../sample/text-stream.ts";
import type { UnknownPolicy } from "../../../text/unknown.ts";
import { type CommonFlags, parseNumber } from "../../options/settings-flags.ts";
import { unknownFlag } from "../../options/unknown-characters.ts";

export interface SampleFlags extends CommonFlags {
  readonly model?: string;
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
  readonly beams?: number;
  readonly best?: number;
  readonly lengthPenalty?: number;
  readonly stop?: readonly string[];
  readonly overflow: Overflow;
  readonly unknown?: UnknownPolicy;
  readonly seed: number;
  readonly explain?: boolean;
}

const DEFAULT_TEMPERATURE = 0.6;
const DEFAULT_BEAMS = 4;

/** Flags that mean something for some strategies only, and for which. */
const STRATEGIES_OF: readonly [flag: keyof SampleFlags, strategies: readonly SampleFlags["strategy"][]][] = [
  ["temperature", ["sample", "greedy"]],
  ["topK", ["sample", "greedy"]],
  ["topP", ["sample", "greedy"]],
  ["minP", ["sample", "greedy"]],
  ["samples", ["sample"]],
  ["beams", ["beam"]],
  ["best", ["beam"]],
  ["lengthPenalty", ["beam"]],
];

const ORDER_OF_RULES = `
What is done to the scores before a token is chosen, in this order:
  --repetition-penalty, --no-repeat-ngram, --temperature, --top-k, --top-p,
  --min-p. Each sees the probabilities that those before it have left.
  greedy and beam heed the first two alone.`;

export function addSampleFlags(command: Command): void {
  const drawing = "Drawing:";
  const repetition = "Against repetition:";
  const searching = "Searching (--strategy beam):";
  const add = (option: Option, group?: string) =>
    command.addOption(group === undefined ? option : option.helpGroup(group));
  const number = (flag: string, help: string) => new Option(flag, help).argParser(parseNumber);

  add(new Option("--model <folder>", "a run, or one of its step folders"));
  add(
    new Option("--prompt <text>", "what to continue; repeat it to continue several side by side")
      .argParser(collect)
      .default(undefined, "a line break"),
  );
  add(number("--tokens <count>", "how many tokens to write at most").default(500));
  add(
    new Option(
      "--strategy <name>",
      "sample: draw by probability; greedy: always the most probable token; beam: search for a probable text",
    )
      .choices(["sample", "greedy", "beam"])
      .default("sample"),
  );
  add(
    new Option(
      "--stop <text>",
      "end before this text, which is not shown; repeat it for several: the first to be complete ends",
    ).argParser(collect),
  );
  add(
    new Option(
      "--overflow <what>",
      "when the context is full. stop: end there. slide: keep the newest half, read it again as if the text began there, and go on. (So too where positions are rotary: their angles would go on, but no distance beyond the context was ever learned)",
    )
      .choices(["slide", "stop"])
      .default("slide"),
  );
  add(unknownFlag());
  add(
    new Option(
      "--explain",
      "tell on stderr, step by step, what the model offered, what each rule did, and what was chosen",
    ),
  );
  add(
    number("--temperature <number>", "below 1 bolder for the likely, above 1 wilder; 0 is greedy").default(
      undefined,
      String(DEFAULT_TEMPERATURE),
    ),
    drawing,
  );
  add(number("--top-k <count>", "draw among the k most probable tokens only"), drawing);
  add(
    number("--top-p <share>", "draw among the fewest tokens that together reach this probability"),
    drawing,
  );
  add(
    number("--min-p <share>", "draw among tokens at least this share as probable as the most probable one"),
    drawing,
  );
  add(
    number(
      "--samples <count>",
      "how many texts to draw for each prompt, all in one pass; the first is the same as alone",
    ).default(undefined, "1"),
    drawing,
  );
  add(number("--seed <number>", "the same seed writes the same text").default(1337), drawing);
  add(
    number(
      "--repetition-penalty <number>",
      "above 1, tokens seen before become less likely: positive scores are divided by it, negative ones multiplied",
    ),
    repetition,
  );
  const ngram = number(
    "--no-repeat-ngram <size>",
    "no run of so many tokens comes twice, unless nothing else is left",
  );
  // It turns nothing off: commander takes every --no- for a switch.
  ngram.negate = false;
  add(ngram, repetition);
  add(
    number("--beams <count>", "how many continuations to follow at once").default(
      undefined,
      String(DEFAULT_BEAMS),
    ),
    searching,
  );
  add(
    number("--best <count>", "how many of the best to show, at most --beams").default(undefined, "1"),
    searching,
  );
  add(
    number(
      "--length-penalty <number>",
      "the score is ln p / ((5 + tokens) / 6)^penalty; above 0 it is milder with longer texts",
    ).default(undefined, "0"),
    searching,
  );
  command.addHelpText("after", ORDER_OF_RULES);
}

/** Each time the flag is given, one more. */
function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/**
 * Before anything is loaded.
 *
 * @throws SampleError for the first flag that is out of range or does not go with the strategy
 */
export function checkSampleFlags(flags: SampleFlags): void {
  const { tokens, seed, strategy } = flags;
  checkWhole("tokens", tokens);
  checkWhole("seed", seed);
  for (const [flag, strategies] of STRATEGIES_OF) {
    if (flags[flag] === undefined || strategies.includes(strategy)) continue;
    throw new SampleError(
      `--${flagOf(flag)} goes with --strategy ${strategies.join(" or ")}: got --strategy ${strategy}`,
    );
  }
  checkSampleCount(samplesOf(flags));
  if (strategy === "beam") checkBeamSettings(beamSettingsOf(flags));
  else checkSampleSettings(sampleSettingsOf(flags));
  checkStops(flags.stop ?? []);
}

/** Flags that were given and that greedy does not heed: whatever they leave, the most probable token is among it. */
export function idleFlags(flags: SampleFlags): string[] {
  if (flags.strategy !== "greedy") return [];
  const idle = ["temperature", "topK", "topP", "minP"] as const;
  return idle.filter((flag) => flags[flag] !== undefined).map((flag) => `--${flagOf(flag)}`);
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
