#!/usr/bin/env node
/** The `nopeek` program: parses the command line and sets the exit code. Each command's module is loaded on demand. */
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import * as z from "zod/mini";
import { SETTINGS } from "../config/settings.ts";
import { NopeekError } from "../errors.ts";
import { X_UNITS } from "../report/plotted-run.ts";
import { fitMessage } from "../util/format.ts";
import { addChatFlags, describeChat } from "./commands/chat/flags.ts";
import { addExportFlags } from "./commands/export/flags.ts";
import { addPlayFlags } from "./commands/play/flags.ts";
import { addSampleFlags } from "./commands/sample/flags.ts";
import { addTrainFlags } from "./commands/train/flags.ts";
import { addAliases, addEpochs } from "./options/aliases.ts";
import { distributedFlag } from "./options/distributed.ts";
import { escapesFlag } from "./options/escapes.ts";
import { describeOption, describePresets, EXAMPLES, OTHER_KINDS, PRESET_NAMES } from "./options/help.ts";
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
import { addModelFlags } from "./shared/find-model.ts";
import { workAlone } from "./shared/processes/work-alone.ts";
import { readableStack } from "./shared/readable-stack.ts";
import { printMessage, printPart } from "./terminal/output.ts";

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")));

/** Process exit codes. */
const EXIT = { done: 0, failed: 1, usage: 2 } as const;

const program = new Command("nopeek")
  .description("Train a small GPT on your own text, sample from it, and look inside.")
  .version(version, "--version", "print the version and exit")
  .configureHelp({ optionDescription: describeOption, minWidthToWrap: 20 })
  .configureOutput({
    writeOut: (text) => printPart("stdout", text),
    writeErr: (text) => printPart("stderr", text),
    outputError: (text, write) => {
      write(fitMessage(text.replace(/^error: /, "nopeek: "), process.stderr.columns));
    },
  })
  .showHelpAfterError("(run with --help to see every flag)")
  // Commander exits with 1 on bad usage. Here that is 2, and 0 after --help.
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage))
  .addHelpText("after", EXAMPLES);

/** Adds a command that rejects extra positional arguments. */
function command(name: string, description: string): Command {
  return program.command(name).description(description).allowExcessArguments(false);
}

const train = command("train", "train a model on a text (default: the bundled tales)").action(
  async (texts, flags) =>
    (await import("./commands/train/command.ts")).train({ ...flags, texts }, undefined, version),
);
addTrainFlags(train);

command(
  "import",
  "make a run of a model from elsewhere: a folder with config.json, safetensors, tokenizer.json",
)
  .argument("<folder>", "a folder as Hugging Face's libraries save it; no network is used")
  .option("--out <folder>", "run directory (default: the next free folder in checkpoints/)")
  .addOption(
    new Option(
      "--context-length <tokens>",
      "a shorter context than the model's, which needs less memory",
    ).argParser(parseCount),
  )
  .option(
    "--ignore-fields <names...>",
    "fields of config.json that nopeek does not know, and of which you know that they change no number",
  )
  .action(async (folder, flags) => (await import("./commands/import/command.ts")).importModel(folder, flags));

command("runs", "list runs with their best loss, size, training time and status")
  .argument("[folder]", "a run directory, or a folder of run directories", "checkpoints")
  .option("--json", "print one JSON object per line on stdout")
  .action(async (folder, flags) => (await import("./commands/runs.ts")).listRuns(folder, flags));

command("plot", "compare the loss curves of runs in the terminal, as an SVG or as an HTML report")
  .argument("<runs...>", "run directories, or their names in checkpoints/")
  .option("--svg <file>", "write the loss chart to an SVG file")
  .option("--html <file>", "write a self-contained HTML report: losses, settings, samples, next commands")
  .addOption(new Option("--x <unit>", "unit of the horizontal axis").choices(X_UNITS).default("steps"))
  .option("--log", "use a logarithmic scale for losses")
  .addOption(
    new Option("--smooth <steps>", "average training losses over this many steps; 1 plots every step")
      .argParser(parseNumber)
      .default(undefined, "about 1/40 of the longest run"),
  )
  .option("--json", "print one JSON object per run on stdout; points are [step, training seconds, value]")
  .action(async (runs, flags) => (await import("./commands/plot/command.ts")).plot(runs, flags));

command("data", "download a training text; without a name, list the available texts")
  .argument("[name]", "name of the text")
  .option("--out <file>", "output file (default: <name>.txt in the current folder)")
  .addOption(new Option("--url <address>", "download from this address instead").hideHelp())
  .action(async (name, flags) => (await import("./commands/data.ts")).getData(name, flags));

const sample = command("sample", "generate text from a model").action(async (run, flags) =>
  (await import("./commands/sample/command.ts")).sample(run, flags),
);
addSampleFlags(sample);
addCommonFlags(sample);
sample.addHelpText("after", OTHER_KINDS);

const chat = command("chat", "continue one prompt after another with a model that is loaded once").action(
  async (run, flags) => (await import("./commands/chat/command.ts")).chat(run, flags),
);
addModelFlags(chat);
addChatFlags(chat);
addCommonFlags(chat);
chat.addHelpText("after", describeChat);

const evaluate = command(
  "eval",
  "evaluate a model: the loss of a gpt or an encoder on a text, or the accuracy of a seq2seq model on validation strings",
)
  .addOption(
    new Option("--data <paths...>", "evaluation text (UTF-8), as for train; seq2seq needs none").default(
      undefined,
      "the text that the model was trained on",
    ),
  )
  .addOption(
    new Option("--split <part>", "train: the first 90%; val: the last 10%; all: the whole text")
      .choices(["train", "val", "all"])
      .default(undefined, "val"),
  )
  .addOption(unknownFlag())
  .addOption(distributedFlag("each evaluates a share of the batches"))
  .action(async (run, flags) => (await import("./commands/eval/command.ts")).evaluate(run, flags, version));
addModelFlags(evaluate);
addSettingFlags(
  evaluate,
  SETTINGS.filter(({ name }) => name === "measureTokens"),
);
addCacheFlags(evaluate);
addCommonFlags(evaluate);

const logits = command(
  "logits",
  "show what a model predicts at each position of a prompt: the next token for a gpt, the token itself for an encoder; --json prints all logits",
)
  .requiredOption("--prompt <text>", "the text to score, or - to read it from standard input")
  .addOption(escapesFlag())
  .option("--cached", "feed one token at a time through the KV cache, as sampling does")
  .addOption(unknownFlag())
  .action(async (run, flags) => (await import("./commands/logits.ts")).logits(run, flags));
addModelFlags(logits);
addCommonFlags(logits);

const exporting = command(
  "export",
  "write a model for other programs; without --format, list the formats that can hold it",
).action(async (run, flags) => (await import("./commands/export/command.ts")).exportModel(run, flags));
addExportFlags(exporting);

const bench = command("bench", "time training steps and sampling on this machine")
  .option("--preset <name>", `preset to start from: ${PRESET_NAMES}`, "shakespeare-cpu")
  .option("--rounds <count>", "number of steps to time", parseNumber, 15)
  .action(async (flags) => (await import("./commands/bench.ts")).bench(flags));
addCommonFlags(bench);
addSettingFlags(
  bench,
  settingsOf("model").filter(({ name, kinds }) => name !== "model" && kinds?.includes("gpt") !== false),
  "from the preset",
);
addSettingFlags(
  bench,
  SETTINGS.filter(({ name }) => name === "batchSize"),
  "from the preset",
);
bench.addHelpText("after", describePresets);

const verify = command(
  "verify",
  "check that a trained model does not peek (an encoder may), that caching, batching and padding change no logit, and that gradients are correct",
)
  .option(
    "--texts <count>",
    "number of texts to check; a gpt generates the first one, the others are random",
    parseNumber,
    2,
  )
  .option("--positions <count>", "length of each text in tokens (default: the context length)", parseNumber)
  .option("--seed <number>", "random seed for the texts", parseNumber, 1337)
  .addOption(
    new Option(
      "--break <what>",
      "inject a fault into an in-memory copy to see the checks catch it; files do not change",
    ).choices(["mask", "shift", "cache", "padding"]),
  )
  .action(async (run, flags) => (await import("./commands/verify/command.ts")).verifyModel(run, flags));
addModelFlags(verify);
addCommonFlags(verify);

const lesson = command("lesson", "run a lesson; without a name, list the lessons")
  .argument("[name]", "name of the lesson")
  .action(async (name) => (await import("./commands/lesson/command.ts")).listLessons(name));

const leakage = lesson
  .command("leakage")
  .description("train the same model with and without the mask: a loss too good to be true")
  .option("--steps <count>", "training steps for each of the two models", parseNumber, 600)
  .option("--seed <number>", "random seed for weights, windows and samples", parseNumber, 1337)
  .action(async (flags) => (await import("./commands/lesson/leakage.ts")).lessonLeakage(flags));
addCommonFlags(leakage);

const mask = lesson
  .command("mask")
  .description("show one attention head in numbers: scores, mask, softmax, weights")
  .option("--model <run>", "a run, as for nopeek sample (default: the bundled model)")
  .option("--prompt <text>", "a few tokens for the head to attend over", "Ulf the")
  .option("--layer <number>", "layer, counting from 0", parseNumber, 0)
  .option("--head <number>", "head in the layer, counting from 0", parseNumber, 0)
  .action(async (flags) => (await import("./commands/lesson/mask.ts")).lessonMask(flags));
addCommonFlags(mask);

const play = command(
  "play",
  "open a page in the browser: train with the mask on and off, and see what attention computes",
).action(async (flags) => (await import("./commands/play/command.ts")).play(flags));
addPlayFlags(play);

const ablate = command(
  "ablate",
  "find out which settings help: train variations of a base with several seeds each, and compare",
)
  .option("--data <paths...>", "training text (UTF-8), as for train (default: the bundled tales)")
  .option("--config <file>", "read the base from a JSON file, such as a run's config.json; flags override it")
  .option("--preset <name>", `base preset: ${PRESET_NAMES} (default: tales if there is no --data)`)
  .option(
    "--vary <changes>",
    'a variation, such as "positions=rotary" or "optimizer=adamw learning-rate=0.003"; repeatable (default: switch each option, one at a time)',
    (words: string, before: string[] | undefined) => [...(before ?? []), words],
  )
  .option("--seeds <count>", "runs of each variation, with consecutive seeds from --seed", parseNumber, 3)
  .option(
    "--holdout <share>",
    "share of the training split held out for evaluation; the validation split is not used",
    parseNumber,
    0.1,
  )
  .option(
    "--difference <nats>",
    "show how many seeds would show a difference of this size",
    parseNumber,
    0.01,
  )
  .option(
    "--results <file>",
    "file of finished runs; runs that are already in it are not repeated",
    "ablation.jsonl",
  )
  .addOption(distributedFlag("each makes a share of the runs"))
  .action(async (flags) => (await import("./commands/ablate/command.ts")).ablate(flags, version));
addCacheFlags(ablate);
addCommonFlags(ablate);
addSettingFlags(ablate, settingsOf("model"), "from the base");
addSettingFlags(ablate, settingsOf("training"), "from the base");
ablate.addHelpText("after", describePresets);

program.hook("preAction", (_, called) => {
  if (called !== train && called !== evaluate && called !== ablate) workAlone(called.name());
});
for (const each of program.commands) addAliases(each);
addEpochs(train);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

/** Prints an error and returns the exit code. Only a bug in nopeek prints a stack trace. */
function explain(error: unknown): number {
  if (error instanceof NopeekError) {
    printMessage(`nopeek: ${explainError(error)}`);
    const usage = error.name === "ConfigError" || error.name === "SampleError";
    return usage ? EXIT.usage : EXIT.failed;
  }
  printPart("stderr", "nopeek: this is a bug in nopeek; please report it:\n");
  printPart(
    "stderr",
    `${error instanceof Error ? readableStack(error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT.failed;
}
