// @ts-nocheck: it loads builds of other versions, whose types are not known here.
/**
 * Compares two builds of nopeek in one process, step by step in turns, so that the machine's load affects both alike.
 *
 *   node scripts/bench/builds.js OLD/dist [NEW/dist] [wasm | native | blas]
 *
 * Prints, for a training step and for a sampled token, both medians and the median of the paired ratios.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Where a module is in today's layout, and in that of 0.1.0. */
const MODULES = [
  ["autograd/context"],
  ["backend/open"],
  ["nn/gpt"],
  ["random"],
  ["config/settings", "train/settings"],
  ["config/presets", "train/presets"],
  ["run/config", "train/run-config"],
  ["train/trainer"],
  ["train/objectives/next-token"],
  ["sample/generate"],
];
const VOCAB_SIZE = 65;
const BACKEND = process.argv[4] ?? "wasm";
const PLAIN = { strategy: "sample", temperature: 1, topK: null, topP: null };

const builds = await Promise.all([process.argv[2], process.argv[3] ?? "dist"].map(load));

for (const [preset, threads, steps] of [
  ["shakespeare-cpu", 1, 120],
  ["shakespeare-cpu", 2, 160],
  ["tiny", 1, 6000],
]) {
  const models = await Promise.all(builds.map((build) => open(build, preset, threads)));
  const times = [[], []];
  for (let i = 0; i < steps; i++) {
    for (const which of i % 2 ? [1, 0] : [0, 1]) await time(times[which], () => models[which].trainer.step());
  }
  report(`${preset}, ${threads} thread(s), ms per step`, times, steps / 10, 1);
  for (const { backend } of models) await backend.close();
}

for (const threads of [1, 2]) {
  const models = await Promise.all(builds.map((build) => open(build, "shakespeare-cpu", threads)));
  const times = [[], []];
  for (let round = 0; round < 60; round++) {
    const texts = models.map(({ build, model }) => {
      const random = build.Random.of(round, "bench");
      return build.generate(model, [1], { tokens: 60, settings: PLAIN, random, overflow: "stop" });
    });
    for (let i = 0; i < 60; i++) {
      for (const which of i % 2 ? [1, 0] : [0, 1]) await time(times[which], () => texts[which].next());
    }
    for (const text of texts) await text.return("length");
  }
  report(`shakespeare-cpu, ${threads} thread(s), µs per token`, times, 360, 1000);
  for (const { backend } of models) await backend.close();
}

/** The exports of a build, from either layout. */
async function load(folder) {
  const exports = {};
  for (const places of MODULES) {
    for (const place of places) {
      const url = pathToFileURL(resolve(folder, `${place}.js`)).href;
      const found = await import(url).catch(() => null);
      if (found !== null) Object.assign(exports, found);
    }
  }
  return exports;
}

async function open(build, preset, threads) {
  const settings = build.resolveSettings(build.presetOf(preset).settings, {});
  const backend = await build.openBackend(BACKEND, threads);
  const ids = Int32Array.from({ length: 20_000 }, (_, i) => (i * 7919 + (i >> 3)) % VOCAB_SIZE);
  const config = build.gptConfigOf(settings, VOCAB_SIZE);
  const model = new build.GPT(new build.Context(backend), config, build.Random.of(1, "weights"));
  const trainer = new build.Trainer(model, new build.NextToken(model, ids, settings), settings);
  return { build, backend, model, trainer };
}

async function time(times, run) {
  const startMs = performance.now();
  await run();
  times.push(performance.now() - startMs);
}

function report(name, times, warmUp, factor) {
  const [old, now] = times.map((each) => each.slice(warmUp));
  const ratio = median(old.map((ms, i) => now[i] / ms));
  const [a, b] = [old, now].map((each) => (factor * median(each)).toPrecision(4));
  console.log(`${name}: ${a} before, ${b} now, ratio ${ratio.toFixed(3)}`);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
