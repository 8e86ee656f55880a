/** Reads the plotted data of a run from its directory. Read-only. The run may be in progress, or have no step yet. */
import { join } from "node:path";
import type { z } from "zod";
import { tokensPerStep } from "../../../config/count-tokens.ts";
import { belongsTo, flagOf, SETTINGS } from "../../../config/settings.ts";
import { entropyFloor } from "../../../data/corpus.ts";
import { log } from "../../../math.ts";
import { countParameters } from "../../../nn/count-parameters.ts";
import { smooth } from "../../../report/curves.ts";
import type { CurvePoint, NextCommand, PlottedRun } from "../../../report/plotted-run.ts";
import { gptConfigOf, type RunConfig, runConfigFromJSON } from "../../../run/config.ts";
import { effectiveRecords } from "../../../run/effective-records.ts";
import { explainFailures, nodeFiles } from "../../../run/files.ts";
import { readConfig } from "../../../run/layout.ts";
import type { Processes } from "../../../run/lock.ts";
import { evaluationEntry, readRecords, samplesOf, stepEntry } from "../../../run/log.ts";
import { summarizeRun } from "../../../run/summary.ts";
import { formatCount, shellWord } from "../../../util/format.ts";

const files = explainFailures(nodeFiles);

type StepEntry = z.infer<typeof stepEntry>;

/** @throws CheckpointError if the folder contains no run, or its config cannot be read */
export async function readRun(path: string, name: string, system: Processes): Promise<PlottedRun> {
  const config = runConfigFromJSON(readConfig(files, path), join(path, "config.json"));
  const { settings, tokenizer, corpus } = config;
  const records = effectiveRecords(readRecords(files, path));
  const { status, step, steps, bytes } = summarizeRun(path, system);
  const made = records.flatMap((record) => stepEntry.safeParse(record).data ?? []);
  const seconds = secondsAfter(made);
  const measured = records.flatMap((record) => {
    const found = evaluationEntry.safeParse(record).data;
    return found === undefined ? [] : [[found.step, seconds(found.step), found.lossNats] as const];
  });
  const validation = oneForEachStep(measured);
  const curve = (of: (record: StepEntry) => number | null) => curveOf(made, seconds, of);
  const train = curve(({ lossNats }) => lossNats);
  return {
    name,
    path,
    model: settings.model,
    ...{ status, step, steps, bytes },
    tokensPerStep: tokensPerStep(settings),
    parameters: countParameters(gptConfigOf(settings, tokenizer.vocabSize), settings.model),
    trainedMs: made.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0),
    best: bestOf(validation),
    // An encoder sees both sides of a masked token, so its loss can be below the entropy of the text.
    floorNats: settings.model === "gpt" && corpus !== null ? await entropyFloor(corpus.sha256) : null,
    uniformNats: log(tokenizer.vocabSize),
    ...corpusOf(config),
    settings: settingsOf(config),
    smoothing: 1,
    curves: {
      train,
      smoothed: train,
      validation,
      learningRate: curve(({ learningRate }) => learningRate),
      gradientNorm: curve(({ gradientNorm }) => gradientNorm),
    },
    samples: samplesOf(records).map(({ step, text }) => ({ step, text })),
    next: nextCommands(path, config, status),
  };
}

/** Returns the run with its noisy curves smoothed: each point is the mean of the last `steps` points. */
export function smoothed(run: PlottedRun, steps: number): PlottedRun {
  const { train, gradientNorm } = run.curves;
  const curves = { ...run.curves, smoothed: smooth(train, steps), gradientNorm: smooth(gradientNorm, steps) };
  return { ...run, smoothing: steps, curves };
}

function curveOf(
  made: readonly StepEntry[],
  seconds: (step: number) => number,
  of: (record: StepEntry) => number | null,
): CurvePoint[] {
  return made.flatMap((record) => {
    const value = of(record);
    return value === null ? [] : [[record.step, seconds(record.step), value] as const];
  });
}

/** Seconds spent in training steps, up to and including a step. */
function secondsAfter(made: readonly StepEntry[]): (step: number) => number {
  const after = new Map<number, number>();
  let spentMs = 0;
  for (const { step, elapsedMs } of made) {
    spentMs += elapsedMs;
    after.set(step, spentMs / 1000);
  }
  return (step) => after.get(step) ?? spentMs / 1000;
}

/** Keeps the last evaluation of each step. A resumed run may evaluate a step twice. */
function oneForEachStep(points: readonly CurvePoint[]): CurvePoint[] {
  return [...new Map(points.map((point) => [point[0], point])).values()].sort((a, b) => a[0] - b[0]);
}

function bestOf(validation: readonly CurvePoint[]): PlottedRun["best"] {
  if (validation.length === 0) return null;
  const [step, , lossNats] = validation.reduce((best, point) => (point[2] < best[2] ? point : best));
  return { step, lossNats };
}

function corpusOf({ settings, corpus }: RunConfig): Pick<PlottedRun, "corpus" | "corpusId"> {
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
  const own = SETTINGS.filter((setting) => belongsTo(settings.model, setting));
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

function nextCommands(path: string, { settings }: RunConfig, status: string): NextCommand[] {
  const folder = shellWord(path);
  const moreSteps = Math.max(2 * settings.steps, 100);
  const resume = `npx nopeek train --resume --out ${folder}`;
  const prompt = settings.model === "seq2seq" ? "abc" : settings.model === "encoder" ? '"… a w_rd …"' : '"…"';
  const longer = { purpose: "train for more steps", command: `${resume} --steps ${moreSteps}` };
  const onward = status === "stopped" ? { purpose: "resume training", command: resume } : longer;
  const sample = {
    purpose: "sample from the model",
    command: `npx nopeek sample --model ${folder} --prompt ${prompt}`,
  };
  return status === "running" ? [sample] : [onward, sample];
}
