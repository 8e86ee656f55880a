/**
 * Measures time to a given loss instead of time per step. nopeek's recipe and nanoGPT's recipe in PyTorch train on
 * tiny Shakespeare, alternating, on the same number of threads, until the loss of the whole validation split reaches
 * nanoGPT's final loss.
 *
 *   npm run build && npx tsx scripts/bench/learn.ts tinyshakespeare.txt [--seeds 1,2,3] [--threads 2] [--backend
 *   auto]
 *
 * Both evaluate the same tokens, each once, in windows of the same length. Evaluation time is excluded for both.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as z from "zod";
import { PRESETS } from "../../src/config/presets.ts";
import { resolveSettings } from "../../src/config/settings.ts";
import { Child, CompetitorError } from "./child.ts";
import { pythonProgram, whyMissing } from "./competitors.ts";
import { describeLearning, type Learned } from "./learned.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { SIZES } from "./sizes.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** nanoGPT's final loss (nats per token, whole split). */
const TARGET = 1.898;
/** Steps between evaluations of PyTorch's model, and so the resolution of its time to the target. */
const MEASURED_EVERY = 20;
/** No evaluation before this step, because the loss is still far from the target. */
const MEASURED_FROM = 1200;
const BATCH_SIZE = 20;
/** The recipe: the first command under "Learning" in docs/benchmarks.md. */
const RECIPE = [
  ...["--preset", "modern", "--layers", "1", "--heads", "2", "--d-model", "64"],
  ...["--batch-size", String(BATCH_SIZE), "--steps", "160", "--warmup-steps", "5", "--learning-rate", "0.03"],
  ...["--muon-learning-rate", "0.06", "--muon-momentum", "0.8"],
];

const evaluationLine = z.object({
  kind: z.literal("evaluation"),
  method: z.literal("whole split"),
  lossNats: z.number(),
  tokens: z.number(),
});
const stepLine = z.object({ kind: z.literal("step"), elapsedMs: z.number() });
const learningAnswer = z.object({
  evaluations: z.array(z.object({ steps: z.number(), seconds: z.number(), loss: z.number() })).min(1),
});

const { values, positionals } = parseArgs({
  options: {
    seeds: { type: "string", default: "1,2,3" },
    threads: { type: "string", default: String(availableParallelism()) },
    backend: { type: "string", default: "auto" },
  },
  allowPositionals: true,
});
if (positionals.length !== 1)
  throw new Error("expected one argument: the file with the text of tiny Shakespeare");
const text = resolve(positionals[0]);
const threads = Number(values.threads);
const missing = whyMissing("torch");
if (missing !== null) throw new Error(`PyTorch ${missing}`);
process.stdout.write(`${formatMachine(describeMachine())}\n`);

const folder = mkdtempSync(join(tmpdir(), "nopeek-learn-"));
try {
  const [ours, theirs]: [Learned[], Learned[]] = [[], []];
  for (const seed of values.seeds.split(",").map(Number)) {
    const { learned, validationTokens } = await trainNopeek(seed);
    ours.push(learned);
    theirs.push(await learnInPyTorch(seed, validationTokens));
    process.stdout.write(
      `seed ${seed}: ${describe(learned)}; PyTorch ${describe(theirs[theirs.length - 1])}\n`,
    );
  }
  process.stdout.write(`\n${describeLearning(ours, theirs, TARGET)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Runs the program and adds up the times of its steps. */
async function trainNopeek(seed: number): Promise<{ learned: Learned; validationTokens: number }> {
  const words = [
    "train",
    "--data",
    text,
    "--out",
    join(folder, `run-${seed}`),
    "--seed",
    String(seed),
    "--json",
  ];
  const more = ["--backend", values.backend, "--threads", values.threads];
  const child = spawn(process.execPath, [MAIN, ...words, ...RECIPE, ...more], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((settle) => child.on("close", settle));
  let [steps, seconds] = [0, 0];
  let last: z.infer<typeof evaluationLine> | null = null;
  for await (const line of createInterface({ input: child.stdout })) {
    const found: unknown = JSON.parse(line);
    const step = stepLine.safeParse(found);
    if (step.success) {
      steps++;
      seconds += step.data.elapsedMs / 1000;
    }
    last = evaluationLine.safeParse(found).data ?? last;
  }
  if ((await ended) !== 0 || last === null) throw new Error("nopeek did not finish");
  const { contextLength } = SIZES.nanogpt;
  return {
    learned: { tokens: steps * contextLength * BATCH_SIZE, seconds, loss: last.lossNats },
    validationTokens: last.tokens,
  };
}

async function learnInPyTorch(seed: number, validationTokens: number): Promise<Learned> {
  const { batchSize, ...model } = SIZES.nanogpt;
  const optimizer = resolveSettings(PRESETS["shakespeare-cpu"].settings);
  const child = await Child.start(pythonProgram(threads, "recipe.py"), {
    ...{ kind: "learning", seed, threads, model, batchSize, optimizer, steps: optimizer.steps },
    ...{ textPath: text, validationTokens },
  });
  try {
    const { evaluations } = await child.ask(
      "until",
      { every: MEASURED_EVERY, from: MEASURED_FROM, target: TARGET },
      learningAnswer,
    );
    const end = evaluations[evaluations.length - 1];
    return {
      tokens: end.steps * model.contextLength * batchSize,
      seconds: end.seconds,
      loss: end.loss,
    };
  } catch (error) {
    throw error instanceof CompetitorError ? new Error(`PyTorch: ${error.message}`) : error;
  } finally {
    child.stop();
  }
}

function describe({ tokens, seconds, loss }: Learned): string {
  return `${loss.toFixed(4)} after ${tokens.toLocaleString("en-US")} tokens and ${seconds.toFixed(2)} s`;
}
