/**
 * jax-js on its WebAssembly device: the twin of nopeek's training step, compiled as a whole by `jit`.
 *
 * In Node it runs on one thread, because it starts threads only if there is a global `Worker`, as in a page. Passing
 * an array to a function consumes it; `.ref` keeps it.
 */
import { readFileSync } from "node:fs";
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { serve, timeEach } from "./protocol.js";
import { NORM_EPSILON, readWeights, steps } from "./twin.js";

/** @typedef {import("./twin.js").TrainingTask} TrainingTask */
/** @typedef {Record<string, np.Array>} Tree */

const packagePath = new URL("node_modules/@jax-js/jax/package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(packagePath, "utf8"));

await init("wasm");
defaultDevice("wasm");
await serve({ training });

/** @param {TrainingTask} task */
async function training(task) {
  const { batchSize, model } = task;
  const stored = readWeights(task.weightsPath);
  const make = (/** @type {(values: Float32Array) => Float32Array} */ fill) =>
    Object.fromEntries(
      [...stored].map(([name, { shape, values }]) => [name, np.array(fill(values), { shape })]),
    );
  let weights = make((values) => values);
  let first = make((values) => new Float32Array(values.length));
  let second = make((values) => new Float32Array(values.length));

  const step = jit(makeStep(task));
  const next = steps(task, async ({ inputs, targets }, update) => {
    const { beta1, beta2 } = task.optimizer;
    const shape = [batchSize, model.contextLength];
    const ids = [inputs, targets].map((list) => np.array(Int32Array.from(list), { shape, dtype: np.int32 }));
    const corrections = [1 - beta1 ** update, 1 - beta2 ** update].map((correction) => np.array(correction));
    const after = step(weights, first, second, ids[0], ids[1], corrections[0], corrections[1]);
    weights = after.weights;
    first = after.first;
    second = after.second;
    await blockUntilReady([weights, first, second]);
    return { loss: (await after.loss.data())[0], norm: (await after.norm.data())[0] };
  });
  return {
    version,
    actions: {
      /** @param {{ count: number, warmUp: number }} request */
      async steps(request) {
        /** @type {number[]} */
        const losses = [];
        /** @type {number[]} */
        const norms = [];
        const times = await timeEach(request, async () => {
          const { loss, norm } = await next();
          losses.push(loss);
          norms.push(norm);
        });
        return { times, losses, norms };
      },
    },
  };
}

/**
 * Maps weights and moments before a step to those after it.
 *
 * @param {TrainingTask} task
 */
function makeStep({ model, batchSize, optimizer }) {
  const { learningRate, beta1, beta2, epsilon, weightDecay, gradClip } = optimizer;
  const gradient = valueAndGrad(makeLoss(model, batchSize));
  /**
   * @param {Tree} weights
   * @param {Tree} first
   * @param {Tree} second
   * @param {np.Array} inputs
   * @param {np.Array} targets
   * @param {np.Array} correction1
   * @param {np.Array} correction2
   */
  return (weights, first, second, inputs, targets, correction1, correction2) => {
    const names = Object.keys(weights);
    const kept = Object.fromEntries(names.map((name) => [name, weights[name].ref]));
    const [loss, grads] = gradient(kept, inputs, targets);
    const squares = names.map((name) => np.sum(np.square(grads[name].ref)));
    const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)));
    const clip = np.minimum(np.trueDivide(gradClip, norm.ref), 1);
    /** @type {{ weights: Tree, first: Tree, second: Tree }} */
    const after = { weights: {}, first: {}, second: {} };
    for (const name of names) {
      const decay = weights[name].shape.length >= 2 ? 1 - learningRate * weightDecay : 1;
      const grad = grads[name].mul(clip.ref);
      const moment1 = first[name].mul(beta1).add(grad.ref.mul(1 - beta1));
      const moment2 = second[name].mul(beta2).add(np.square(grad).mul(1 - beta2));
      const deviation = np.sqrt(moment2.ref.div(correction2.ref)).add(epsilon);
      const move = moment1.ref.div(correction1.ref).mul(learningRate).div(deviation);
      after.weights[name] = weights[name].mul(decay).sub(move);
      after.first[name] = moment1;
      after.second[name] = moment2;
    }
    for (const spent of [clip, correction1, correction2]) spent.dispose();
    return { ...after, loss, norm };
  };
}

/**
 * The mean loss of a batch, as a function of weights and ids.
 *
 * @param {import("./twin.js").Model} model
 * @param {number} batchSize
 */
function makeLoss(model, batchSize) {
  const { layers, heads, dModel, contextLength, vocabSize, tieHead } = model;
  const split = [batchSize, contextLength, heads, dModel / heads];
  /** @param {np.Array} x @param {np.Array | undefined} weight */
  const norm = (x, weight) => {
    const normal = nn.standardize(x, -1, { epsilon: NORM_EPSILON });
    return weight === undefined ? normal : normal.mul(weight);
  };
  // Same as nn.dotProductAttention, which fails in Node 20 because its einsum needs iterator helpers.
  /** @param {np.Array} x @param {Tree} weights @param {string} name */
  const attention = (x, weights, name) => {
    const [q, k, v] = ["query", "key", "value"].map((part) =>
      np.transpose(np.matmul(x.ref, weights[`${name}.${part}.weight`]).reshape(split), [0, 2, 1, 3]),
    );
    x.dispose();
    const scores = np.matmul(q, np.transpose(k, [0, 1, 3, 2])).mul(1 / Math.sqrt(dModel / heads));
    const visible = np.tri(contextLength, contextLength, 0, { dtype: np.bool });
    const shares = nn.softmax(np.where(visible, scores, Number.NEGATIVE_INFINITY), -1);
    const mixed = np.transpose(np.matmul(shares, v), [0, 2, 1, 3]);
    return np.matmul(mixed.reshape([batchSize, contextLength, dModel]), weights[`${name}.output.weight`]);
  };
  /** @param {np.Array} x @param {Tree} weights @param {string} name */
  const mlp = (x, weights, name) => {
    const hidden = nn.gelu(np.matmul(x, weights[`${name}.up.weight`]), { approximate: false });
    return np.matmul(hidden, weights[`${name}.down.weight`]);
  };
  /** @param {Tree} weights @param {np.Array} inputs @param {np.Array} targets */
  return (weights, inputs, targets) => {
    const table = weights.tokenEmbedding;
    const token = np.take(tieHead ? table.ref : table, inputs, 0);
    let x = token.add(weights.positionEmbedding);
    for (let layer = 0; layer < layers; layer++) {
      const block = `blocks.${layer}`;
      x = x.ref.add(
        attention(norm(x, weights[`${block}.attentionNorm.weight`]), weights, `${block}.attention`),
      );
      x = x.ref.add(mlp(norm(x, weights[`${block}.mlpNorm.weight`]), weights, `${block}.mlp`));
    }
    const head = tieHead ? np.transpose(table) : weights["head.weight"];
    const logits = np.matmul(norm(x, weights["finalNorm.weight"]), head);
    const chosen = nn.logSoftmax(logits).mul(nn.oneHot(targets, vocabSize));
    return np.sum(chosen).mul(-1 / (batchSize * contextLength));
  };
}
