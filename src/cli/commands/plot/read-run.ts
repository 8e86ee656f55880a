/** Reads the plotted data of a run from its directory. Read-only. The run may be in progress, or have no step yet. */
import { join } from "node:path";
import { tokensPerStep } from "../../../config/count-tokens.ts";
import { belongsTo, flagOf, SETTINGS, type Settings } from "../../../config/settings.ts";
import { entropyFloor } from "../../../data/corpus.ts";
import { log as ln } from "../../../math.ts";
import { countParameters } from "../../../nn/count-parameters.ts";
import type { GrowingCurve } from "../../../report/growing-curve.ts";
import type { NextCommand, PlottedRun } from "../../../report/plotted-run.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON } from "../../../run/config.ts";
import { explainFailures } from "../../../run/files.ts";
import { readConfig } from "../../../run/layout.ts";
import type { Processes } from "../../../run/lock.ts";
import { nodeFiles } from "../../../run/node-files.ts";
import { readSummary } from "../../../run/summary.ts";
import { formatCount, shellWord } from "../../../util/format.ts";
import { blankedPromptIn, promptIn } from "../../shared/example-prompt.ts";
import { PlottedLog } from "./plotted-log.ts";

const files = explainFailures(nodeFiles);

/** A run with the curves that can be smoothed. */
export interface ReadRun {
  readonly run: PlottedRun;
  readonly train: GrowingCurve;
  readonly gradientNorm: GrowingCurve;
}

/** @throws CheckpointError if the folder contains no run, or its config cannot be read */
export async function readRun(path: string, name: string, system: Processes): Promise<ReadRun> {
  const config = runConfigFromJSON(readConfig(files, path), join(path, "config.json"));
  const { settings, tokenizer, corpus } = config;
  const log = new PlottedLog();
  const summary = readSummary(path, system, { files, onEntry: (entry) => log.add(entry) });
  const {
    status,
    step,
    steps,
    bytes,
    trainedMs,
    bestStep,
    bestLossNats,
    bestBitsPerByte: bitsPerByte,
  } = summary;
  const train = log.train.points();
  const run: PlottedRun = {
    name,
    path,
    model: settings.model,
    ...{ status, step, steps, bytes, trainedMs },
    verdict: summary.verdictText,
    tokensPerStep: tokensPerStep(settings),
    parameters: countParameters(gptConfigOf(settings, tokenizer.vocabSize), settings.model),
    best:
      bestStep === null || bestLossNats === null
        ? null
        : { step: bestStep, lossNats: bestLossNats, bitsPerByte },
    // An encoder sees both sides of a masked token, so its loss can be below the entropy of the text.
    // The entropy is known per character, of a text in ASCII; other tokens are longer.
    floorNats:
      settings.model === "gpt" && corpus !== null && (tokenizer.kind === "char" || tokenizer.kind === "byte")
        ? await entropyFloor(corpus.sha256)
        : null,
    uniformNats: ln(tokenizer.vocabSize),
    ...corpusOf(config),
    settings: settingsOf(config),
    smoothing: 1,
    curves: {
      train,
      smoothed: train,
      validation: log.validation(),
      estimates: log.estimates(),
      learningRate: log.learningRate.points(),
      gradientNorm: log.gradientNorm.points(),
    },
    samples: log.samples(),
    next: [],
  };
  const next = nextCommands(run, config);
  return { run: { ...run, next }, train: log.train, gradientNorm: log.gradientNorm };
}

/** Returns the run with its noisy curves smoothed: each point is the mean of the last `steps` points. */
export function smoothed({ run, train, gradientNorm }: ReadRun, steps: number): PlottedRun {
  const curves = {
    ...run.curves,
    smoothed: train.smoothed(steps),
    gradientNorm: gradientNorm.smoothed(steps),
  };
  return { ...run, smoothing: steps, curves };
}

function corpusOf({ settings, corpus, origin }: RunConfig): Pick<PlottedRun, "corpus" | "corpusId"> {
  if (origin !== undefined) {
    const description = `imported from ${origin.folder} (${origin.modelType}): not trained here`;
    return { corpus: description, corpusId: description };
  }
  if (corpus !== null) {
    const named = (corpus.paths ?? [corpus.path]).join(", ");
    return { corpus: `${named}: ${formatCount(corpus.characters)} characters`, corpusId: corpus.sha256 };
  }
  const { task, alphabetSize, minLength, maxLength } = settings;
  const description = `${task} strings of ${minLength} to ${maxLength} letters from an alphabet of ${alphabetSize}`;
  return { corpus: description, corpusId: description };
}

/** The settings as flags, and everything else that distinguishes two runs. */
function settingsOf(config: RunConfig): Record<string, string> {
  const { settings, tokenizer, from } = config;
  const own = SETTINGS.filter((setting) => belongsTo(settings, setting));
  const flags = own.map(({ name }) => [`--${flagOf(name)}`, formatValue(settings[name])]);
  return {
    text: corpusOf(config).corpus,
    ...(from !== undefined && { "--from": from }),
    "vocabulary size": formatCount(tokenizer.vocabSize),
    ...Object.fromEntries(flags),
  };
}

function formatValue(value: number | string | boolean): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return String(value);
}

/**
 * Commands that run as they are: a prompt is taken from what the model wrote. More steps are suggested only if the last
 * weights that were measured are the best.
 */
function nextCommands(run: PlottedRun, { settings }: RunConfig): NextCommand[] {
  const folder = shellWord(run.path);
  const resume = `npx nopeek train --resume --out ${folder}`;
  const prompt = promptFor(settings, run.samples.at(-1)?.text ?? "");
  const flag = prompt === null ? "" : ` --prompt ${shellWord(prompt)}`;
  const sample = { purpose: "sample from the model", command: `npx nopeek sample --model ${folder}${flag}` };
  if (run.status === "running") return [sample];
  if (run.status === "stopped") return [{ purpose: "resume training", command: resume }, sample];
  const isBest = run.best !== null && run.best.step === run.curves.validation.at(-1)?.[0];
  if (run.status !== "finished" || !isBest) return [sample];
  const moreSteps = Math.max(2 * run.steps, 100);
  return [{ purpose: "train for more steps", command: `${resume} --steps ${moreSteps}` }, sample];
}

function promptFor({ model, contextLength, maxLength }: Settings, text: string): string | null {
  if (model === "seq2seq") return "ab".slice(0, maxLength);
  return model === "encoder" ? blankedPromptIn(text, contextLength) : promptIn(text, contextLength);
}
