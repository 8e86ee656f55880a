/**
 * TensorFlow.js on its WebAssembly backend: the twin of nopeek's training step.
 *
 * In Node the backend has SIMD but only one thread: its multi-threaded build is for web pages (flag
 * WASM_HAS_MULTITHREAD_SUPPORT). It has no gradient for gather, so embeddings are products with one-hot rows.
 */

import * as tf from "@tensorflow/tfjs";
import { version_wasm } from "@tensorflow/tfjs-backend-wasm";
import { serve, timeEach } from "./protocol.js";
import { NORM_EPSILON, readWeights, steps } from "./twin.js";

/** @typedef {import("./twin.js").TrainingTask} TrainingTask */

await tf.setBackend("wasm");
await tf.ready();
await serve({ training });

/** @param {TrainingTask} task */
async function training(task) {
  /** @type {Record<string, tf.Variable>} */
  const weights = {};
  for (const [name, { shape, values }] of readWeights(task.weightsPath)) {
    weights[name] = tf.variable(tf.tensor(values, shape), true, name);
  }
  const forward = makeLoss(task, weights);
  const optimize = makeAdamW(task, weights);
  const next = steps(task, async ({ inputs, targets }, update) => {
    const [loss, norm] = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => forward(inputs, targets), Object.values(weights));
      return [value, optimize(grads, update)];
    });
    const report = { loss: loss.dataSync()[0], norm: norm.dataSync()[0] };
    tf.dispose([loss, norm]);
    return report;
  });
  return {
    version: version_wasm,
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
 * The mean loss of a batch, as a function of its ids.
 *
 * @param {TrainingTask} task
 * @param {Record<string, tf.Variable>} weights
 */
function makeLoss({ model, batchSize }, weights) {
  const { layers, heads, dModel, contextLength, vocabSize, tieHead, normWeights } = model;
  const rows = batchSize * contextLength;
  const width = dModel / heads;
  const mask = tf.keep(
    tf.tensor2d(
      Float32Array.from({ length: contextLength ** 2 }, (_, i) =>
        i % contextLength > Math.floor(i / contextLength) ? Number.NEGATIVE_INFINITY : 0,
      ),
      [contextLength, contextLength],
    ),
  );

  /** @param {number[]} ids */
  const oneHot = (ids) => tf.oneHot(tf.tensor1d(Int32Array.from(ids), "int32"), vocabSize).toFloat();
  /** @param {tf.Tensor} x @param {string} name */
  const norm = (x, name) => {
    const centered = x.sub(x.mean(-1, true));
    const variance = centered.square().mean(-1, true);
    const normal = centered.mul(variance.add(NORM_EPSILON).rsqrt());
    return normWeights ? normal.mul(weights[`${name}.weight`]) : normal;
  };
  /** @param {tf.Tensor} x */
  const gelu = (x) => x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1));
  /** @param {tf.Tensor} x (rows, dModel) @param {string} name */
  const split = (x, name) =>
    x
      .matMul(weights[`${name}.weight`])
      .reshape([batchSize, contextLength, heads, width])
      .transpose([0, 2, 1, 3]);
  /** @param {tf.Tensor} x @param {string} block */
  const attention = (x, block) => {
    const [q, k, v] = ["query", "key", "value"].map((part) => split(x, `${block}.attention.${part}`));
    const scores = q
      .matMul(k, false, true)
      .mul(1 / Math.sqrt(width))
      .add(mask);
    const mixed = tf.softmax(scores).matMul(v).transpose([0, 2, 1, 3]).reshape([rows, dModel]);
    return mixed.matMul(weights[`${block}.attention.output.weight`]);
  };
  /** @param {tf.Tensor} x @param {string} block */
  const mlp = (x, block) =>
    gelu(x.matMul(weights[`${block}.mlp.up.weight`])).matMul(weights[`${block}.mlp.down.weight`]);

  /** @param {number[]} inputs @param {number[]} targets */
  return (inputs, targets) => {
    const token = oneHot(inputs).matMul(weights.tokenEmbedding);
    let x = token
      .reshape([batchSize, contextLength, dModel])
      .add(weights.positionEmbedding)
      .reshape([rows, dModel]);
    for (let layer = 0; layer < layers; layer++) {
      const block = `blocks.${layer}`;
      x = x.add(attention(norm(x, `${block}.attentionNorm`), block));
      x = x.add(mlp(norm(x, `${block}.mlpNorm`), block));
    }
    const hidden = norm(x, "finalNorm");
    const logits = tieHead
      ? hidden.matMul(weights.tokenEmbedding, false, true)
      : hidden.matMul(weights["head.weight"]);
    return tf
      .logSoftmax(logits)
      .mul(oneHot(targets))
      .sum()
      .mul(-1 / rows)
      .asScalar();
  };
}

/**
 * AdamW with clipping; returns the norm of the whole gradient.
 *
 * @param {TrainingTask} task
 * @param {Record<string, tf.Variable>} weights
 */
function makeAdamW({ optimizer }, weights) {
  const { learningRate, beta1, beta2, epsilon, weightDecay, gradClip } = optimizer;
  const moments = Object.entries(weights).map(([name, weight]) => ({
    name,
    weight,
    first: tf.variable(tf.zerosLike(weight)),
    second: tf.variable(tf.zerosLike(weight)),
    decay: weight.shape.length >= 2 ? 1 - learningRate * weightDecay : 1,
  }));
  /** @param {tf.NamedTensorMap} grads @param {number} update */
  return (grads, update) => {
    const squares = Object.values(grads).map((grad) => grad.square().sum());
    const norm = tf.addN(squares).sqrt();
    const clip = tf.minimum(1, tf.div(gradClip, norm));
    const rate = learningRate / (1 - beta1 ** update);
    const correction = 1 / (1 - beta2 ** update);
    for (const { name, weight, first, second, decay } of moments) {
      const grad = grads[name].mul(clip);
      first.assign(first.mul(beta1).add(grad.mul(1 - beta1)));
      second.assign(second.mul(beta2).add(grad.square().mul(1 - beta2)));
      const step = first.mul(rate).div(second.mul(correction).sqrt().add(epsilon));
      weight.assign(weight.mul(decay).sub(step));
    }
    return norm;
  };
}
