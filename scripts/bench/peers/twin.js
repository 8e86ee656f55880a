/** Shared code of the JavaScript twins: reading a task's weights, and cycling through its batches. */
import { readFileSync } from "node:fs";

/**
 * A training task. The sizes are those of a decoder without biases or dropout, with exact GELU.
 *
 * @typedef {object} Model
 * @property {number} layers
 * @property {number} heads
 * @property {number} dModel
 * @property {number} contextLength
 * @property {number} vocabSize
 * @property {boolean} tieHead
 * @property {boolean} normWeights whether norms have scales
 *
 * @typedef {object} TrainingTask
 * @property {Model} model
 * @property {number} batchSize
 * @property {{ learningRate: number, beta1: number, beta2: number, epsilon: number, weightDecay: number, gradClip:
 * number }} optimizer
 * @property {string} weightsPath safetensors, weights as (in, out)
 * @property {{ inputs: number[], targets: number[] }[]} batches used in turn, over and over
 * @property {number} threads
 */

/** Added to the variance, as in nopeek and PyTorch. */
export const NORM_EPSILON = 1e-5;

/**
 * Reads the tensors of a safetensors file. nopeek wrote the file, so it is not validated.
 *
 * @param {string} path
 * @returns {Map<string, { shape: number[], values: Float32Array }>}
 */
export function readWeights(path) {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, start));
  const tensors = new Map();
  for (const [name, { shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = data_offsets;
    const values = new Float32Array((to - from) / 4);
    new Uint8Array(values.buffer).set(bytes.subarray(start + from, start + to));
    tensors.set(name, { shape, values });
  }
  return tensors;
}

/**
 * The steps of a twin, for requests of the protocol.
 *
 * @param {TrainingTask} task
 * @param {(batch: TrainingTask["batches"][number], update: number) => Promise<{ loss: number, norm: number }>} step
 *   one update, counted from 1
 */
export function steps(task, step) {
  let done = 0;
  return () => {
    const batch = task.batches[done % task.batches.length];
    done++;
    return step(batch, done);
  };
}
