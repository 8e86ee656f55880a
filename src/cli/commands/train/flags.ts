/** The flags of `nopeek train`: texts, what to start from, where the run is kept, and what is printed. */
import { type Command, Option } from "commander";
import { USUAL_MINUTES } from "../../../config/fit.ts";
import { distributedFlag } from "../../options/distributed.ts";
import { describePresets, PRESET_NAMES } from "../../options/help.ts";
import {
  addCacheFlags,
  addCommonFlags,
  addSettingFlags,
  parseCount,
  parseNumber,
  settingsOf,
} from "../../options/settings-flags.ts";
import { parseStep } from "../../shared/find-model.ts";

export function addTrainFlags(train: Command): void {
  addTextFlags(train);
  addRunFlags(train);
  addOutputFlags(train);
  train.addOption(
    distributedFlag("each computes its parts of every step (see --grad-accumulation) and evaluation"),
  );
  addCacheFlags(train);
  addCommonFlags(train);
  addSettingFlags(train, settingsOf("model"));
  addSettingFlags(train, settingsOf("training"));
  train.addHelpText("after", describePresets);
}

/** What the model is trained on, and what it starts from. */
function addTextFlags(train: Command): void {
  train
    .argument("[texts...]", "training texts, as for --data")
    .option(
      "--data <paths...>",
      "training text (UTF-8): files, folders of files, or - for standard input; joined in order (default: a text that is piped in)",
    )
    .option(
      "--validation <paths...>",
      "text to validate with, read like --data, instead of the last tenth of the training text",
    )
    .option(
      "--include <patterns...>",
      'which files of folders to read, such as "*.md" or "letters/*.txt" (default: all that are text)',
    )
    .option("--from <run>", "fine-tune the model of this run, by its best step, on the text in --data")
    .addOption(
      new Option(
        "--from-step <which>",
        "the step of --from to start from: best, latest or a number",
      ).argParser(parseStep),
    )
    .option(
      "--config <file>",
      "read settings from a JSON file, such as another run's config.json; flags override it",
    )
    .option(
      "--preset <name>",
      `preset to start from: ${PRESET_NAMES} (default: tales if there is no --data; with --data, sizes, recipe and steps that fit the text instead of the defaults below)`,
    )
    .addOption(
      new Option(
        "--minutes <number>",
        "with --data and no preset: choose sizes and steps so that training takes about this long on this machine, or less if the text is short",
      )
        .argParser(parseNumber)
        .default(undefined, `${USUAL_MINUTES}`),
    );
}

/** Where the run is kept, and how it continues. */
function addRunFlags(train: Command): void {
  train
    .option("--out <folder>", "run directory (default: the next free folder in checkpoints/)")
    .option("--resume", "resume the run in --out; the weights are bit-identical to an uninterrupted run")
    .option(
      "--restart-schedule",
      "with --resume: begin the learning rate schedule again, with its warm-up; by default more steps continue from the current rate",
    );
}

/** What is printed. */
function addOutputFlags(train: Command): void {
  train
    .option(
      "--quiet",
      "print plain lines instead of the live display (the default without a terminal, and where CI is set)",
    )
    .option("--no-samples", "do not generate a sample at each evaluation")
    .addOption(
      new Option("--log-every <steps>", "in plain output, print one line every <steps> steps")
        .argParser(parseCount)
        .default(undefined, "one for 2% of the steps, or every ten seconds"),
    )
    .option("--color", "use colors even if the terminal does not seem to support them")
    .option("--no-color", "do not use colors; NO_COLOR and FORCE_COLOR are honored too")
    .option("--debug-nan", "if a number is not finite, rerun that step and name the op that produced it");
}
