/** Reads what is plotted of a run from its folder; changes nothing there. The run may be under way, or be no more than begun. */
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

/** @throws CheckpointError when the folder holds no run, or its config cannot be read */
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
    // Who sees both sides is asked for less than the entropy of the text.
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

/** The same run with curves smoothed that are noisy: each point the mean of the last `steps`. */
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

/** Seconds spent in steps up to and with a step. */
function secondsAfter(made: readonly StepEntry[]): (step: number) => number {
  const after = new Map<number, number>();
  let spentMs = 0;
  for (const { step, elapsedMs } of made) {
    spentMs += elapsedMs;
    after.set(step, spentMs / 1000);
  }
  return (step) => after.get(step) ?? spentMs / 1000;
}

/** A step may be measured more than once, as when a run is stopped and goes on: the last counts. */
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
  const words = `${task} strings of ${minLength} to ${maxLength} out of ${alphabetSize} letters`;
  return { corpus: words, corpusId: words };
}

/** As flags, and what else sets two runs apart. */
function settingsOf(config: RunConfig): Record<string, string> {
  const { settings, tokenizer, from } = config;
  const own = SETTINGS.filter((setting) => belongsTo(settings.model, setting));
  const words = own.map(({ name }) => [`--${flagOf(name)}`, inWords(settings[name])]);
  return {
    text: corpusOf(config).corpus,
    ...(from !== undefined && { "--from": from }),
    "different tokens": formatCount(tokenizer.vocabSize),
    ...Object.fromEntries(words),
  };
}

function inWords(value: number | string | boolean): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return String(value);
}

function nextCommands(path: string, { settings }: RunConfig, status: string): NextCommand[] {
  const folder = shellWord(path);
  const moreSteps = Math.max(2 * settings.steps, 100);
  const resume = `npx nopeek train --resume --out ${folder}`;
  const prompt = settings.model === "seq2seq" ? "abc" : settings.model === "encoder" ? '"… a w_rd …"' : '"…"';
  const longer = { purpose: "train it for longer", command: `${resume} --steps ${moreSteps}` };
  const onward = status === "stopped" ? { purpose: "go on where it stopped", command: resume } : longer;
  const write = {
    purpose: "let it write",
    command: `npx nopeek sample --model ${folder} --prompt ${prompt}`,
  };
  return status === "running" ? [write] : [onward, write];
}
