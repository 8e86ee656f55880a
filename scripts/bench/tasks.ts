/** The shared input of all competitors: weights in a file, batches of a real text, optimizer settings. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Context } from "../../src/autograd/context.ts";
import { openBackend } from "../../src/backend/open.ts";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import { WindowLoader } from "../../src/data/window-loader.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { INIT_STD } from "../../src/nn/initialize.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { snapshot } from "../../src/run/restore.ts";
import { encodeSafetensors } from "../../src/run/safetensors.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import type { Size } from "./sizes.ts";

/** A TrainingTask of peers/twin.js, and additional fields for nopeek. */
export interface Task {
  readonly model: Omit<Size, "batchSize">;
  readonly batchSize: number;
  readonly settings: Settings;
  readonly optimizer: Pick<
    Settings,
    "learningRate" | "beta1" | "beta2" | "epsilon" | "weightDecay" | "gradClip"
  >;
  readonly weightsPath: string;
  readonly text: readonly number[];
  readonly batches: readonly { readonly inputs: readonly number[]; readonly targets: readonly number[] }[];
}

/**
 * More aggressive than in practice, because the first steps are compared and each setting must affect some of them.
 * The time of a step does not depend on these values.
 */
const OPTIMIZER: Partial<Settings> = {
  ...{ learningRate: 3e-3, schedule: "constant", warmupSteps: 0, gradClip: 0.25 },
  ...{ weightDecay: 0.5, beta1: 0.8, beta2: 0.9 },
};
const TEXT_LENGTH = 20_000;
/** The competitors cycle through these batches; nopeek keeps drawing new ones. */
const BATCHES = 16;

/** Files that exist as long as the benchmark runs. */
export class TaskFiles {
  readonly folder = mkdtempSync(join(tmpdir(), "nopeek-bench-"));
  #tasks = 0;

  async task(size: Size): Promise<Task> {
    const { batchSize, ...model } = size;
    const chosen: Partial<Settings> = {
      ...{ layers: size.layers, heads: size.heads, dModel: size.dModel, contextLength: size.contextLength },
      ...{
        batchSize,
        tieHead: size.tieHead,
        normWeights: size.normWeights,
        bias: false,
        dropout: 0,
        activation: "gelu",
      },
      ...OPTIMIZER,
    };
    const settings = resolveSettings(chosen);
    const text = realText(size.vocabSize);
    const loader = new WindowLoader(text, { ...size, seed: settings.seed });
    const { learningRate, beta1, beta2, epsilon, weightDecay, gradClip } = settings;
    return {
      model,
      batchSize,
      settings,
      optimizer: { learningRate, beta1, beta2, epsilon, weightDecay, gradClip },
      weightsPath: await this.#writeWeights(settings, size.vocabSize),
      text: [...text],
      batches: Array.from({ length: BATCHES }, (_, step) => {
        const { inputs, targets } = loader.batch(step);
        return { inputs: [...inputs], targets: [...targets] };
      }),
    };
  }

  clear(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #writeWeights(settings: Settings, vocabSize: number): Promise<string> {
    const backend = await openBackend("wasm");
    const model = new GPT(new Context(backend), gptConfigOf(settings, vocabSize), Random.of(1337, "bench"));
    const path = join(this.folder, `weights-${this.#tasks++}.safetensors`);
    const weights = await snapshot(model.parameters());
    // Larger than the initial weights of a training run, so that sums over channels are about 1: there the forms of
    // GELU differ.
    const factor = 1 / (INIT_STD * Math.sqrt(settings.dModel));
    for (const { shape, values } of weights.values()) {
      if (shape.length >= 2) for (let i = 0; i < values.length; i++) values[i] *= factor;
    }
    writeFileSync(path, encodeSafetensors(weights));
    await backend.close();
    return path;
  }
}

/** The start of the embedded tales, mapped to a smaller alphabet if necessary. */
function realText(vocabSize: number): Int32Array {
  const text = readFileSync(new URL("../../data/tales.txt", import.meta.url), "utf8").slice(0, TEXT_LENGTH);
  return CharTokenizer.fromText(text)
    .encode(text)
    .map((id) => id % vocabSize);
}
