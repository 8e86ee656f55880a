/** Writes what one step of two ranks computes: the weights, the parts of the step, and the averaged gradient. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import type { Settings } from "../../src/config/settings.ts";
import { WindowLoader } from "../../src/data/window-loader.ts";
import type { Communicator } from "../../src/distributed/communicator.ts";
import { DataParallel } from "../../src/distributed/data-parallel.ts";
import { ranksInProcess } from "../../src/distributed/in-process.ts";
import { loadGPT, RunDirectory } from "../../src/run/on-disk.ts";
import { snapshot } from "../../src/run/restore.ts";
import { NextToken } from "../../src/train/objectives/next-token.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { disturb, nopeek } from "./train-run.ts";

const TALES = fileURLToPath(new URL("../../data/tales.txt", import.meta.url));
const FLAGS =
  "--preset tales --batch-size 2 --muon-momentum 0.95 --muon-learning-rate 0.02 --learning-rate 0.01 --weight-decay 0.1 --no-bigram --threads 1 --no-samples --steps 30 --layers 2 --d-model 32 --context-length 48 --positions learned --norm layer --activation gelu --tie-head";
const RANKS = 2;
const ROWS = 4;

/** What `case.json` holds. */
export interface GradientCaseFile {
  readonly name: string;
  /** The rows of each rank. */
  readonly parts: readonly { readonly inputs: readonly number[]; readonly targets: readonly number[] }[];
  readonly rows: number;
}

/** Trains a small GPT, makes one step of it on two ranks, and writes `hf/`, `gradient/hf/` and `case.json`. */
export async function writeGradientCase(name: string, folder: string): Promise<void> {
  const run = join(folder, "run");
  await nopeek("train", ...FLAGS.split(" "), "--out", run);
  disturb(run);
  const gradients = await Promise.all(ranksInProcess(RANKS).map((rank) => gradientOf(run, rank)));
  writeFileSync(join(folder, "case.json"), JSON.stringify(gradients[0].json(name)));
  // As the weights of another run, so that the export gives them the names and layouts of the weights.
  cpSync(run, join(folder, "gradient", "run"), { recursive: true });
  const directory = RunDirectory.open(join(folder, "gradient", "run"));
  const { name: _, ...step } = directory.loadStep();
  directory.saveStep({ ...step, model: gradients[0].tensors, best: true });
  for (const path of [folder, join(folder, "gradient")])
    await nopeek("export", join(path, "run"), "--format", "hf", "--out", join(path, "hf"));
}

/** The mean gradient of a step's parts, by the first moment that AdamW has after its first step. */
async function gradientOf(run: string, communicator: Communicator) {
  const backend = await openBackend("wasm", 1);
  try {
    const { model, tokenizer, config } = loadGPT(new Context(backend), run);
    const settings: Settings = {
      ...config.settings,
      ...{ gradAccumulation: RANKS, batchSize: ROWS, gradClip: 0, optimizer: "adamw", averageSteps: 0 },
    };
    const ids = tokenizer.encode(readFileSync(TALES, "utf8"));
    const ranks = new DataParallel(communicator, RANKS, ROWS);
    const trainer = new Trainer(model, new NextToken(model, ids, settings), settings, [], ranks);
    await trainer.step();
    const moments = await snapshot(trainer.optimizerState());
    const tensors = new Map(
      Object.keys(model.parameters()).map((name) => {
        const { shape, values } = moments.get(`${name}.firstMoment`) ?? missing(name);
        return [name, { shape, values: values.map((value) => value / (1 - settings.beta1)) }];
      }),
    );
    const loader = new WindowLoader(ids, settings);
    const json = (name: string): GradientCaseFile => ({
      name,
      rows: ROWS,
      parts: Array.from({ length: RANKS }, (_, part) => {
        const { inputs, targets } = loader.batch(0, part);
        return { inputs: [...inputs], targets: [...targets] };
      }),
    });
    return { tensors, json };
  } finally {
    await backend.close();
  }
}

function missing(name: string): never {
  throw new Error(`the optimizer has no moment of ${name}`);
}
