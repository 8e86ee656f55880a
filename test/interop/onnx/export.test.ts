/**
 * The exported graph computes nopeek's logits. It is read and evaluated by support/onnx-reader.ts and
 * onnx-interpreter.ts, which share no code with the exporter.
 */
import { describe, expect, test } from "vitest";
import { onnxBytes } from "../../../src/interop/onnx/export.ts";
import type { GPTConfig } from "../../../src/nn/config.ts";
import type { GPT } from "../../../src/nn/gpt.ts";
import { Random } from "../../../src/random.ts";
import type { StoredTensor } from "../../../src/run/safetensors.ts";
import { CharTokenizer } from "../../../src/text/char-tokenizer.ts";
import { doubleContext } from "../../support/contexts.ts";
import { CHOICES, randomChoices, randomIds, TINY, tinyModel } from "../../support/models.ts";
import { runOnnx } from "../../support/onnx-interpreter.ts";
import { type OnnxModel, type OnnxTensor, readOnnx } from "../../support/onnx-reader.ts";
import { storedWeights } from "../../support/stored-weights.ts";

/** Constants of the graph, such as 1/√D, are in single precision; all else here is in double. */
const TOLERANCE = 1e-6;
const LENGTH = 7;

/** A model with float32 weights, and what an export needs of it. */
async function exported(changes: Partial<GPTConfig>, seed: number | string) {
  const model = tinyModel(doubleContext(), changes, seed);
  const tensors = await storedWeights(model);
  const tokenizer = CharTokenizer.fromText("abcdefghijk");
  return { model, tensors, onnx: readOnnx(onnxBytes({ config: model.config, tokenizer, tensors })) };
}

async function logitsOf(model: GPT, ids: readonly number[]): Promise<number[]> {
  const tokens = { ids, batchSize: 1 };
  return Array.from(await model.context.scope("no-grad", () => model.forward(tokens).read()));
}

/** Columns of a batch: token ids, whether each is a token, and its position. */
interface Columns {
  readonly ids: readonly (readonly number[])[];
  readonly present: readonly (readonly number[])[];
  readonly positions: readonly (readonly number[])[];
}

/** Padded on the left with id 4, as transformers.js does: positions of padding are 1. */
function padded(rows: readonly (readonly number[])[]): Columns {
  const width = Math.max(...rows.map((row) => row.length));
  const pad = <T>(row: readonly T[], filler: T) => [...new Array<T>(width - row.length).fill(filler), ...row];
  return {
    ids: rows.map((row) => pad(row, 4)),
    present: rows.map((row) =>
      pad(
        row.map(() => 1),
        0,
      ),
    ),
    positions: rows.map((row) =>
      pad(
        row.map((_, t) => t),
        1,
      ),
    ),
  };
}

/** Logits for all columns: (B, T, V), computed in passes of the given numbers of columns. */
function evaluate(onnx: OnnxModel, columns: Columns, passes: readonly number[]): number[][][] {
  const batchSize = columns.ids.length;
  const matrix = (rows: readonly (readonly number[])[]): OnnxTensor => ({
    shape: [batchSize, rows[0].length],
    values: Float64Array.from(rows.flat()),
  });
  const logits: number[][][] = columns.ids.map(() => []);
  const inputs = new Map<string, OnnxTensor>();
  for (const { name, shape } of onnx.inputs) {
    if (!name.startsWith("past")) continue;
    inputs.set(name, {
      shape: shape.map((length, i) => (i === 0 ? batchSize : i === 2 ? 0 : Number(length))),
      values: new Float64Array(0),
    });
  }
  let from = 0;
  for (const count of passes) {
    const to = from + count;
    const part = (rows: readonly (readonly number[])[]) => rows.map((row) => row.slice(from, to));
    inputs.set("input_ids", matrix(part(columns.ids)));
    inputs.set("position_ids", matrix(part(columns.positions)));
    inputs.set("attention_mask", matrix(columns.present.map((row) => row.slice(0, to))));
    for (const [name, value] of runOnnx(onnx, inputs)) {
      if (name !== "logits") inputs.set(name.replace("present", "past_key_values"), value);
      else {
        const vocabSize = value.shape[2];
        logits.forEach((row, b) => {
          for (let t = 0; t < count; t++) {
            const at = (b * count + t) * vocabSize;
            row.push([...value.values.subarray(at, at + vocabSize)]);
          }
        });
      }
    }
    from = to;
  }
  return logits;
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  // A difference that is NaN is not below.
  for (const [i, x] of actual.entries()) expect(Math.abs(x - expected[i])).toBeLessThan(TOLERANCE * scale);
}

const random = Random.of(3, "onnx");
const GROUPED: Partial<GPTConfig> = { heads: 4, kvHeads: 2, headSize: 2, norm: "rms" };
const cases: [string, Partial<GPTConfig>][] = [
  ["GPT-2's options", {}],
  ...CHOICES.map((choice): [string, Partial<GPTConfig>] => [JSON.stringify(choice), choice]),
  ["GELU's approximation", { activation: "gelu-tanh" }],
  ["random options 1", randomChoices(random)],
  ["random options 2", randomChoices(random)],
  ["grouped heads of another size", { ...GROUPED, qkNorm: true, qkNormWeights: true, mlpWidth: 5 }],
  [
    "rotary grouped heads, another base and epsilon",
    { ...GROUPED, positions: "rotary", ropeBase: 50, bigram: true, normEpsilon: 0.1 },
  ],
  ["a hashed bigram", { bigram: true, vocabSize: 401 }],
];

/** The model of the last choices, small as it is, has every part. */
const ALL = CHOICES[CHOICES.length - 1];

describe("the file", () => {
  test("names, types and lengths are those of a decoder with past", async () => {
    const { onnx } = await exported({}, "ports");
    expect([onnx.irVersion, onnx.opset]).toEqual([9, 18]);
    const cache = (prefix: string, layer: number, positions: string) =>
      ["key", "value"].map((part) => ({
        name: `${prefix}.${layer}.${part}`,
        type: "float32",
        shape: ["batch_size", 3, positions, 2],
      }));
    expect(onnx.inputs).toEqual([
      { name: "input_ids", type: "int64", shape: ["batch_size", "sequence_length"] },
      { name: "attention_mask", type: "int64", shape: ["batch_size", "total_sequence_length"] },
      { name: "position_ids", type: "int64", shape: ["batch_size", "sequence_length"] },
      ...cache("past_key_values", 0, "past_sequence_length"),
      ...cache("past_key_values", 1, "past_sequence_length"),
    ]);
    expect(onnx.outputs).toEqual([
      { name: "logits", type: "float32", shape: ["batch_size", "sequence_length", 11] },
      ...cache("present", 0, "total_sequence_length"),
      ...cache("present", 1, "total_sequence_length"),
    ]);
  });

  test("with bigrams, the first layer's keys have one channel more", async () => {
    const { onnx } = await exported({ bigram: true }, "ports");
    const channels = [...onnx.inputs, ...onnx.outputs].flatMap(({ name, shape }) =>
      /key|value/.test(name) ? [`${name} ${shape[3]}`] : [],
    );
    expect(channels.filter((text) => text.endsWith("3"))).toEqual([
      "past_key_values.0.key 3",
      "present.0.key 3",
    ]);
  });

  test("each weight is there once, with its name and bits", async () => {
    const { model, onnx } = await exported(ALL, "weights");
    for (const [name, tensor] of Object.entries(model.parameters())) {
      const found = onnx.initializers.get(name);
      expect(found?.shape).toEqual(tensor.shape);
      expect(found?.values).toEqual(Float64Array.from(await tensor.read()));
    }
  });

  test("every name is written once", async () => {
    const { onnx } = await exported(ALL, "names");
    const names = [
      ...onnx.inputs.map(({ name }) => name),
      ...onnx.initializers.keys(),
      ...onnx.nodes.flatMap(({ outputs }) => outputs),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  test("the mask is finite, so that padding alone makes no NaN", async () => {
    const { onnx } = await exported({}, "mask");
    for (const { values } of onnx.initializers.values()) expect(values.every(Number.isFinite)).toBe(true);
  });

  test("a position past the context is refused, by a node whose name says why", async () => {
    for (const positions of ["learned", "rotary"] as const) {
      const { onnx } = await exported({ positions }, "context");
      const columns = { ids: [[1]], present: [[1]], positions: [[LENGTH]] };
      expect(() => evaluate(onnx, columns, [1])).toThrow("no row 7 of 7");
      expect(onnx.nodes.map(({ outputs }) => outputs[0]).join()).toContain("the_context_has_7_tokens.Gather");
    }
  });
});

describe("what does not fit is refused", () => {
  const config: GPTConfig = { ...TINY, layers: 5 };
  const tokenizer = CharTokenizer.fromText("abcdefghijk");

  test("a model whose weights are incomplete", () => {
    expect(() => onnxBytes({ config, tokenizer, tensors: new Map() })).toThrow(
      "onnx: the model has no tensor tokenEmbedding",
    );
  });

  test("2 GiB", async () => {
    const { tensors } = await exported({ layers: 5 }, "large");
    // All share this memory, which is never touched.
    const large = { shape: [2 ** 27, 1], values: new Float32Array(2 ** 27) };
    const shared = [0, 1, 2, 3].map((layer): [string, StoredTensor] => [
      `blocks.${layer}.mlp.up.weight`,
      large,
    ]);
    expect(() => onnxBytes({ config, tokenizer, tensors: new Map([...tensors, ...shared]) })).toThrow(
      /^onnx: one file holds less than 2 GiB: this model would need 2147\d{6} bytes, and weights in a second file/,
    );
  });

  test("ids that are not exact in the cache", () => {
    const large = { ...config, bigram: true, vocabSize: 2 ** 24 + 1 };
    expect(() => onnxBytes({ config: large, tokenizer, tensors: new Map() })).toThrow(
      "single precision, which is exact up to 16777216: got a vocabulary of 16777217",
    );
  });
});

describe.each(cases)("%s", (name, changes) => {
  test("whole passes, cached passes and padded batches have nopeek's logits", async () => {
    const { model, onnx } = await exported(changes, name);
    const { vocabSize } = model.config;
    const rows = [LENGTH, 3, 1].map((length, b) => randomIds(length, vocabSize, "onnx", b));
    const [row] = rows;
    const expected = await logitsOf(model, row);
    for (const passes of [[LENGTH], [1, 1, 1, 1, 1, 1, 1], [3, 1, 2, 1]]) {
      expectClose(evaluate(onnx, padded([row]), passes).flat(2), expected);
    }
    for (const passes of [[LENGTH], [5, 1, 1]]) {
      const logits = evaluate(onnx, padded(rows), passes);
      for (const [b, row] of rows.entries()) {
        expectClose(logits[b].slice(LENGTH - row.length).flat(), await logitsOf(model, row));
        // At padding, logits mean nothing, but NaN would spread.
        expect(logits[b].flat().every(Number.isFinite)).toBe(true);
      }
    }
  });
});
