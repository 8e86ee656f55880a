// @ts-nocheck: the clients, and their types, are not among the packages of this project.
/**
 * Checks exported ONNX models with onnxruntime-node or onnxruntime-web. See README.md for cases and claims.
 *
 *   node check-onnx.mjs node|web CASE…
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [runtime, ...folders] = process.argv.slice(2);
const { InferenceSession, Tensor, env } = await import(
  runtime === "web" ? "onnxruntime-web" : "onnxruntime-node"
);
if (runtime === "web") env.wasm.numThreads = 1;

const integers = (values, shape) => new Tensor("int64", BigInt64Array.from(values, BigInt), shape);

/** A session and its cache, for a batch of rows that are padded on the left. */
class Decoder {
  static async open(path) {
    const options = { intraOpNumThreads: 1, executionProviders: [runtime === "web" ? "wasm" : "cpu"] };
    return new Decoder(await InferenceSession.create(readFileSync(path), options));
  }

  constructor(session) {
    this.session = session;
  }

  start(batchSize) {
    this.mask = Array.from({ length: batchSize }, () => []);
    this.cache = {};
    for (const { name, shape } of this.session.inputMetadata) {
      if (!name.startsWith("past_key_values.")) continue;
      this.cache[name] = new Tensor("float32", new Float32Array(0), [batchSize, shape[1], 0, shape[3]]);
    }
  }

  /** Logits for columns of ids: (B, T, V). The mask is 0 at padding, whose position is 1, as in transformers.js. */
  async step(ids, mask) {
    const count = ids[0].length;
    this.mask = this.mask.map((row, b) => [...row, ...mask[b]]);
    const positions = this.mask.map((row) => {
      let next = 0;
      return row.map((present) => (present === 1 ? next++ : 1)).slice(-count);
    });
    const shape = [ids.length, count];
    const results = await this.session.run({
      input_ids: integers(ids.flat(), shape),
      position_ids: integers(positions.flat(), shape),
      attention_mask: integers(this.mask.flat(), [ids.length, this.mask[0].length]),
      ...this.cache,
    });
    for (const [name, value] of Object.entries(results)) {
      if (name !== "logits") this.cache[name.replace("present", "past_key_values")] = value;
    }
    const { data, dims } = results.logits;
    const at = (b, t) => data.subarray((b * count + t) * dims[2], (b * count + t + 1) * dims[2]);
    return ids.map((row, b) => row.map((_, t) => at(b, t)));
  }

  /** Logits for all columns, computed in passes of these numbers of columns. */
  async logits(ids, mask, passes) {
    this.start(ids.length);
    const logits = ids.map(() => []);
    let from = 0;
    for (const count of passes) {
      const part = (rows) => rows.map((row) => row.slice(from, from + count));
      const added = await this.step(part(ids), part(mask));
      added.forEach((row, b) => {
        logits[b].push(...row);
      });
      from += count;
    }
    return logits;
  }
}

/** max |Δlogit| / max(1, max |logit|), over rows of positions; NaN if any number is. */
function difference(actual, expected) {
  let [most, scale] = [0, 1];
  expected.forEach((row, b) => {
    row.forEach((logits, t) => {
      logits.forEach((logit, i) => {
        const apart = Math.abs(actual[b][t][i] - logit);
        if (!(apart <= most)) most = apart;
        scale = Math.max(scale, Math.abs(logit));
      });
    });
  });
  return most / scale;
}

/** A first pass of half the columns, then one column, then the rest. */
function chunks(length) {
  const first = Math.max(1, length >> 1);
  return [first, Math.min(1, length - first), length - first - 1].filter((count) => count > 0);
}

/** The first part of each row behind padding on the left: as long as the row, half as long, a third, … */
async function paddedDifference(decoder, rows, expected) {
  const length = rows[0].length;
  const lengths = rows.map((_, b) => Math.max(1, Math.floor(length / (b + 1))));
  const pad = (b, row) => [...new Array(length - lengths[b]).fill(0), ...row.slice(0, lengths[b])];
  const ids = rows.map((row, b) => pad(b, row));
  const mask = rows.map((row, b) =>
    pad(
      b,
      row.map(() => 1),
    ),
  );
  let worst = 0;
  for (const passes of [[length], chunks(length)]) {
    const logits = await decoder.logits(ids, mask, passes);
    if (!logits.flat().every((values) => values.every(Number.isFinite))) return Number.NaN;
    logits.forEach((row, b) => {
      const apart = difference([row.slice(length - lengths[b])], [expected[b].slice(0, lengths[b])]);
      if (!(apart <= worst)) worst = apart;
    });
  }
  return worst;
}

/** The number of tokens that differ when each step takes the best token. */
async function greedyDifference(decoder, { promptIds, ids }) {
  decoder.start(1);
  let next = promptIds;
  let wrong = 0;
  for (const wanted of ids) {
    const logits = (await decoder.step([next], [next.map(() => 1)]))[0].at(-1);
    const best = logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
    if (best !== wanted) wrong++;
    next = [best];
  }
  return wrong;
}

for (const folder of folders) {
  const { name, rows, vocabSize, greedy } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8"));
  const { buffer } = Uint8Array.from(readFileSync(join(folder, "logits.f32")));
  const all = new Float32Array(buffer);
  const length = rows[0].length;
  const expected = rows.map((row, b) =>
    row.map((_, t) => all.subarray((b * length + t) * vocabSize, (b * length + t + 1) * vocabSize)),
  );
  const decoder = await Decoder.open(join(folder, "onnx", "onnx", "model.onnx"));
  const ones = rows.map((row) => row.map(() => 1));
  const inPasses = async (passes) => difference(await decoder.logits(rows, ones, passes), expected);
  const measured = {
    whole: await inPasses([length]),
    cached: Math.max(await inPasses(new Array(length).fill(1)), await inPasses(chunks(length))),
    padded: await paddedDifference(decoder, rows, expected),
    greedy: await greedyDifference(decoder, greedy),
  };
  for (const [claim, value] of Object.entries(measured)) {
    console.log(JSON.stringify({ case: name, claim, measured: value }));
  }
  await decoder.session.release();
}
