/** nopeek as a competitor: the compiled program in dist/, as users run it. Types come from src/. */
import { readFileSync } from "node:fs";
import { serve, timeEach } from "./protocol.js";

/** @typedef {import("./twin.js").TrainingTask} TrainingTask */

/** @param {string} path */
const load = (path) => import(new URL(`../../../dist/${path}.js`, import.meta.url).href);

/** @type {typeof import("../../../src/autograd/context.ts")} */
const { Context } = await load("autograd/context");
/** @type {typeof import("../../../src/backend/open.ts")} */
const { BACKEND_NAMES, openBackend } = await load("backend/open");
/** @type {typeof import("../../../src/nn/gpt.ts")} */
const { GPT } = await load("nn/gpt");
/** @type {typeof import("../../../src/random.ts")} */
const { Random } = await load("random");
/** @type {typeof import("../../../src/sample/generate.ts")} */
const { generate } = await load("sample/generate");
/** @type {typeof import("../../../src/sample/logits.ts")} */
const { cachedLogits } = await load("sample/logits");
/** @type {typeof import("../../../src/train/objectives/next-token.ts")} */
const { NextToken } = await load("train/objectives/next-token");
/** @type {typeof import("../../../src/run/restore.ts")} */
const { restore } = await load("run/restore");
/** @type {typeof import("../../../src/run/config.ts")} */
const { gptConfigOf } = await load("run/config");
/** @type {typeof import("../../../src/run/safetensors.ts")} */
const { decodeSafetensors } = await load("run/safetensors");
/** @type {typeof import("../../../src/config/settings.ts")} */
const { resolveSettings } = await load("config/settings");
/** @type {typeof import("../../../src/train/trainer.ts")} */
const { Trainer } = await load("train/trainer");

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));

await serve({ training, sampling, products });

/**
 * Draws its batches from the text from which the other competitors' batches were drawn, so they are the same.
 *
 * @param {TrainingTask & { backend: string, settings: Record<string, unknown>, text: number[] }} task
 */
async function training(task) {
  const settings = resolveSettings(task.settings);
  const model = await makeModel(task);
  const objective = new NextToken(model, Int32Array.from(task.text), settings);
  const trainer = new Trainer(model, objective, settings);
  return {
    version: versionOn(model.context.backend),
    actions: {
      /** @param {{ count: number, warmUp: number }} request */
      async steps(request) {
        /** @type {number[]} */
        const losses = [];
        /** @type {number[]} */
        const norms = [];
        const times = await timeEach(request, async () => {
          const { lossNats, gradientNorm } = await trainer.step();
          losses.push(lossNats);
          norms.push(gradientNorm);
        });
        return { times, losses, norms };
      },
    },
  };
}

/** @param {TrainingTask & { backend: string, settings: Record<string, unknown>, cached: boolean }} task */
async function sampling(task) {
  const model = await makeModel(task);
  const random = Random.of(1, "bench");
  /** @type {import("../../../src/sample/generate.ts").GenerateOptions["settings"]} */
  const settings = { strategy: "sample", temperature: 1, topK: null, topP: null };
  return {
    version: versionOn(model.context.backend),
    actions: {
      /** @param {{ ids: number[] }} request */
      async logits({ ids }) {
        const { vocabSize } = model.config;
        const logits = task.cached ? await cachedLogits(model, ids) : await lastLogits(model, ids);
        return { logits: [...logits.slice(-vocabSize)] };
      },
      /**
       * Times the tokens after a prompt, one by one. Reading the prompt is not timed. Without a cache, every token
       * reads the whole sequence.
       *
       * @param {{ prompt: number[], count: number }} request
       */
      async tokens({ prompt, count }) {
        if (!task.cached)
          return { times: await timeEach({ count, warmUp: 1 }, () => lastLogits(model, prompt)) };
        const times = [];
        let startMs = performance.now();
        /** @type {import("../../../src/sample/generate.ts").GenerateOptions} */
        const options = { tokens: count + 1, settings, random, overflow: "stop" };
        for await (const _ of generate(model, prompt, options)) {
          times.push(performance.now() - startMs);
          startMs = performance.now();
        }
        return { times: times.slice(1) };
      },
    },
  };
}

/**
 * Products of many shapes. A transposed matrix is read along its columns.
 *
 * @param {{ backend: string, threads: number }} task
 */
async function products(task) {
  const backend = await open(task);
  return {
    version: versionOn(backend),
    actions: {
      /** @param {import("../sections/gemm.ts").ProductRequest} request */
      async product({ rows, inner, columns, aTransposed, bTransposed, ...request }) {
        const buffers = [rows * columns, rows * inner, inner * columns].map((length) =>
          backend.alloc(length),
        );
        backend.write(buffers[1], pattern(rows * inner, 7, 11));
        backend.write(buffers[2], pattern(inner * columns, 5, 13));
        const c = matrix(buffers[0], rows, columns, false);
        const a = matrix(buffers[1], rows, inner, aTransposed);
        const b = matrix(buffers[2], inner, columns, bTransposed);
        const size = { batch: [], rows, inner, columns, accumulate: false, bias: null };
        const times = await timeEach(request, () => backend.gemm(c, a, b, size));
        let sum = 0;
        (await backend.read(buffers[0])).forEach((value, i) => {
          sum += (i % 7) * value;
        });
        for (const buffer of buffers) backend.free(buffer);
        return { times, sum };
      },
    },
  };
}

/** @param {{ backend: string, threads: number, fast?: boolean }} task */
async function open({ backend, threads, fast = false }) {
  const name = BACKEND_NAMES.find((known) => known === backend);
  if (name === undefined) throw new Error(`this build has no backend "${backend}"`);
  let said = "";
  const say = (/** @type {string} */ sentence) => {
    said = sentence;
  };
  const opened = await openBackend(name, threads, process.env.NOPEEK_BLAS || null, { fast, say });
  // Otherwise the same backend would be measured twice under two names.
  if (fast && opened.exact) throw new Error(said);
  return opened;
}

/**
 * The version, with the name of the library that computes the products if there is one.
 *
 * @param {import("../../../src/backend/backend.ts").Backend} backend
 */
function versionOn({ library }) {
  return library === null ? version : `${version}, ${library.split(" in ")[0]}`;
}

/** @param {{ backend: string, threads: number, settings: Record<string, unknown>, model: import("./twin.js").Model, weightsPath: string }} task */
async function makeModel(task) {
  const context = new Context(await open(task));
  const config = gptConfigOf(resolveSettings(task.settings), task.model.vocabSize);
  // The initial weights do not matter, because they are replaced.
  const model = new GPT(context, config, Random.of(0));
  const { tensors } = decodeSafetensors(readFileSync(task.weightsPath), task.weightsPath);
  restore(model.parameters(), tensors, task.weightsPath);
  return model;
}

/**
 * Logits of the next token, from one pass over all ids.
 *
 * @param {import("../../../src/nn/gpt.ts").GPT} model
 * @param {number[]} ids
 */
function lastLogits(model, ids) {
  const options = { cache: null, random: null, lastOnly: true };
  return model.context.noGrad(() => model.forward({ ids, batchSize: 1 }, options).read());
}

/**
 * Small numbers that every competitor can generate.
 *
 * @param {number} length
 * @param {number} step
 * @param {number} period odd
 */
function pattern(length, step, period) {
  return Float32Array.from({ length }, (_, i) => (((step * i) % period) - (period - 1) / 2) / 8);
}

/**
 * @param {import("../../../src/backend/backend.ts").Buffer} buffer
 * @param {number} height
 * @param {number} width
 * @param {boolean} transposed whether the matrix is stored column by column
 */
function matrix(buffer, height, width, transposed) {
  const [rowStride, columnStride] = transposed ? [1, height] : [width, 1];
  return { buffer, offset: 0, rowStride, columnStride, batchStrides: [] };
}
