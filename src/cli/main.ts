#!/usr/bin/env node
/** The program `nopeek`: words of the command line in, exit code out. Each command is loaded when it is called. */
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { z } from "zod";
import { PRESETS } from "../config/presets.ts";
import { SETTINGS } from "../config/settings.ts";
import { NopeekError } from "../errors.ts";
import { X_UNITS } from "../report/plotted-run.ts";
import { fitMessage } from "../util/format.ts";
import { addSampleFlags } from "./commands/sample/flags.ts";
import { describeOption, describePresets, EXAMPLES, OTHER_KINDS } from "./options/help.ts";
import {
  addCacheFlags,
  addCommonFlags,
  addSettingFlags,
  parseCount,
  parseNumber,
  settingsOf,
} from "./options/settings-flags.ts";
import { unknownFlag } from "./options/unknown-characters.ts";
import { explainError } from "./shared/explain-error.ts";

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")));

const presetNames = Object.keys(PRESETS).join(", ");

/** What the shell is told. */
const EXIT = { done: 0, failed: 1, usage: 2 } as const;

const program = new Command("nopeek")
  .description("Train a small GPT on your own text, sample from it, and look inside.")
  .version(version, "--version", "print the version and leave")
  .configureHelp({ optionDescription: describeOption, minWidthToWrap: 20 })
  .configureOutput({
    outputError: (text, write) => {
      write(fitMessage(text.replace(/^error: /, "nopeek: "), process.stderr.columns));
    },
  })
  .showHelpAfterError("(--help shows every flag)")
  // Commander exits with 1 on bad usage by default; the convention here is 2, and 0 after --help.
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage))
  .addHelpText("after", EXAMPLES);

/** Flags of a command cannot be told from those of its neighbors, so each command gets its own. */
function command(name: string, description: string): Command {
  return program.command(name).description(description).allowExcessArguments(false);
}

const train = command("train", "train a model on a text; the embedded tales unless --data names one")
  .option(
    "--data <paths...>",
    "the text to learn from (UTF-8): files, folders of files, or - for standard input; joined in order",
  )
  .option("--from <folder>", "a trained model that is to learn on, from the text in --data")
  .option(
    "--config <file>",
    "settings from a JSON file, such as another run's config.json; flags go before it",
  )
  .option(
    "--preset <name>",
    `settings to start from: ${presetNames} (default: tales where no --data is given)`,
  )
  .option("--out <folder>", "where the run is kept (default: the next free folder in checkpoints/)")
  .option("--resume", "go on with the run in --out, to the same bits as if it had never stopped")
  .option(
    "--quiet",
    "a plain line for every step, as where there is no terminal, instead of the live picture",
  )
  .option("--no-samples", "write no text at each evaluation")
  .option("--log-every <steps>", "plain lines: one for every so many steps", parseCount, 1)
  .option("--color", "colors, even where there seem to be none")
  .option("--no-color", "no colors; NO_COLOR and FORCE_COLOR are heard too")
  .option("--debug-nan", "where a number is not finite, run that step again and name the op that made it")
  .action(async (flags) => (await import("./commands/train/command.ts")).train(flags));
addCacheFlags(train);
addCommonFlags(train);
addSettingFlags(train, settingsOf("model"));
addSettingFlags(train, settingsOf("training"));
train.addHelpText("after", describePresets);

command("runs", "list runs, with their best loss, size, time and status")
  .argument("[folder]", "where they are kept", "checkpoints")
  .option("--json", "one JSON object a line on stdout")
  .action(async (folder, flags) => (await import("./commands/runs.ts")).listRuns(folder, flags));

command("plot", "compare the loss curves of runs: here, as a picture, or as a page with all about them")
  .argument("<runs...>", "folders of runs, or their names under checkpoints/")
  .option("--svg <file>", "the losses as a picture")
  .option("--html <file>", "a page that needs nothing else: losses, settings, samples, how to go on")
  .addOption(new Option("--x <unit>", "what runs along the bottom").choices(X_UNITS).default("steps"))
  .option("--log", "losses on a logarithmic scale")
  .addOption(
    new Option("--smooth <steps>", "training losses are means of so many steps; 1: each as it is")
      .argParser(parseNumber)
      .default(undefined, "about a fortieth of the longest run"),
  )
  .option("--json", "one JSON object a run on stdout; points are [step, seconds in steps, value]")
  .action(async (runs, flags) => (await import("./commands/plot/command.ts")).plot(runs, flags));

command("data", "get a text to learn from; without a name, lists those that can be had")
  .argument("[name]", "which text")
  .option("--out <file>", "where it is put (default: its name, here)")
  .addOption(new Option("--url <address>", "another place to get it from").hideHelp())
  .action(async (name, flags) => (await import("./commands/data.ts")).getData(name, flags));

const sample = command(
  "sample",
  "let a model write; the one that ships with nopeek unless --model names another",
).action(async (flags) => (await import("./commands/sample/command.ts")).sample(flags));
addSampleFlags(sample);
addCommonFlags(sample);
sample.addHelpText("after", OTHER_KINDS);

const evaluate = command(
  "eval",
  "measure a model on a text: a gpt on every character of the split, an encoder on those that are hidden from it; seq2seq on strings that it never learned from",
)
  .requiredOption("--model <folder>", "a run, or one of its step folders")
  .option("--data <paths...>", "the text to measure on (UTF-8), as for train; seq2seq needs none")
  .addOption(
    new Option("--split <part>", "train: the first 90 %; val: the last 10 %; all: the whole text")
      .choices(["train", "val", "all"])
      .default(undefined, "val"),
  )
  .addOption(unknownFlag())
  .action(async (flags) => (await import("./commands/eval.ts")).evaluate(flags));
addSettingFlags(
  evaluate,
  SETTINGS.filter(({ name }) => name === "measureTokens"),
);
addCacheFlags(evaluate);
addCommonFlags(evaluate);

const logits = command(
  "logits",
  "show a gpt's scores for the next token at each position of a prompt, or an encoder's for the token there",
)
  .requiredOption("--model <folder>", "a run, or one of its step folders")
  .requiredOption("--prompt <text>", "the text to read")
  .option("--cached", "one token at a time through the cache, as sampling does")
  .addOption(unknownFlag())
  .action(async (flags) => (await import("./commands/logits.ts")).logits(flags));
addCommonFlags(logits);

const bench = command("bench", "time training steps and sampling on this machine")
  .option("--preset <name>", `settings to start from: ${presetNames}`, "shakespeare-cpu")
  .option("--rounds <count>", "timed steps", parseNumber, 15)
  .action(async (flags) => (await import("./commands/bench.ts")).bench(flags));
addCommonFlags(bench);
addSettingFlags(
  bench,
  settingsOf("model").filter(({ name, kinds }) => name !== "model" && kinds?.includes("gpt") !== false),
  "the preset's",
);
addSettingFlags(
  bench,
  SETTINGS.filter(({ name }) => name === "batchSize"),
  "the preset's",
);
bench.addHelpText("after", describePresets);

const verify = command(
  "verify",
  "prove on a trained model that it does not peek (an encoder may), and that cache, batches, padding and gradients change nothing",
)
  .option("--model <folder>", "a run, or one of its step folders (default: the one that ships with nopeek)")
  .option(
    "--texts <count>",
    "texts to try: the first is written by the model, if that is a gpt, the others are random",
    parseNumber,
    2,
  )
  .option("--positions <count>", "how long the texts are (default: as long as the context)", parseNumber)
  .option("--seed <number>", "where the texts come from", parseNumber, 1337)
  .addOption(
    new Option(
      "--break <what>",
      "break a copy in memory first, to see the checks notice; files stay as they are",
    ).choices(["mask", "shift", "cache", "padding"]),
  )
  .action(async (flags) => (await import("./commands/verify/command.ts")).verifyModel(flags));
addCommonFlags(verify);

const lesson = command("lesson", "learn by looking; without a name, lists the lessons")
  .argument("[name]", "which lesson")
  .action(async (name) => (await import("./commands/lesson/command.ts")).listLessons(name));

const leakage = lesson
  .command("leakage")
  .description("train the same model with the mask and without it; see the loss that is too good to be true")
  .option("--steps <count>", "of each of the two trainings", parseNumber, 600)
  .option("--seed <number>", "where weights, windows and samples come from", parseNumber, 1337)
  .action(async (flags) => (await import("./commands/lesson/leakage.ts")).lessonLeakage(flags));
addCommonFlags(leakage);

const mask = lesson
  .command("mask")
  .description("one head of a trained model in numbers: scores, mask, softmax, weights")
  .option("--model <folder>", "a run, or one of its step folders (default: the one that ships with nopeek)")
  .option("--prompt <text>", "the text that the head reads, a few tokens", "Ulf the")
  .option("--layer <number>", "which layer, from 0", parseNumber, 0)
  .option("--head <number>", "which head of it, from 0", parseNumber, 0)
  .action(async (flags) => (await import("./commands/lesson/mask.ts")).lessonMask(flags));
addCommonFlags(mask);

const ablate = command(
  "ablate",
  "find out which settings help: train variations of a base, each with several seeds, and compare",
)
  .option("--data <paths...>", "the text to learn from (UTF-8), as for train; default: the embedded tales")
  .option("--config <file>", "the base from a JSON file, such as a run's config.json; flags go before it")
  .option("--preset <name>", `the base: ${presetNames} (default: tales where no --data is given)`)
  .option(
    "--vary <changes>",
    'a variation, such as "positions=rotary" or "optimizer=adamw learning-rate=0.003"; may be given again and again (default: each option switched, one at a time)',
    (words: string, before: string[] | undefined) => [...(before ?? []), words],
  )
  .option("--seeds <count>", "runs of each, with seeds from --seed on", parseNumber, 3)
  .option(
    "--holdout <share>",
    "share of the training split to measure on; the validation split is not looked at",
    parseNumber,
    0.1,
  )
  .option(
    "--results <file>",
    "where finished runs are kept; what is there already is not run again",
    "ablation.jsonl",
  )
  .action(async (flags) => (await import("./commands/ablate.ts")).ablate(flags));
addCacheFlags(ablate);
addCommonFlags(ablate);
addSettingFlags(ablate, settingsOf("model"), "the base's");
addSettingFlags(ablate, settingsOf("training"), "the base's");
ablate.addHelpText("after", describePresets);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

/** Tells a person what went wrong; gives the exit code. A stack trace is shown for bugs of ours alone. */
function explain(error: unknown): number {
  if (error instanceof NopeekError) {
    process.stderr.write(fitMessage(`nopeek: ${explainError(error)}\n`, process.stderr.columns));
    const usage = error.name === "ConfigError" || error.name === "SampleError";
    return usage ? EXIT.usage : EXIT.failed;
  }
  process.stderr.write(`nopeek: this is a bug in nopeek; please report it:\n`);
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT.failed;
}
