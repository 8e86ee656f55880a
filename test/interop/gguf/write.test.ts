import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/errors.ts";
import { encodeGGUF, type MetadataValue } from "../../../src/interop/gguf/write.ts";
import { floatsOf, readGGUF } from "../../support/gguf-reader.ts";

const metadata = new Map<string, MetadataValue>([
  ["a.count", { type: "uint32", value: 4_000_000_000 }],
  ["a.number", { type: "float32", value: 0.1 }],
  ["a.yes", { type: "bool", value: true }],
  ["a.no", { type: "bool", value: false }],
  ["a.text", { type: "string", value: "é日😀\n" }],
  ["a.texts", { type: "strings", value: ["", "Ġ", "x".repeat(9000)] }],
  ["a.numbers", { type: "int32s", value: [-1, 0, 3] }],
]);
const matrix = { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, -0) };
const vector = { shape: [5], values: Float32Array.of(1 / 3, 1e-40, 3e38, 7, 8) };
const tensors = new Map([
  ["matrix", matrix],
  ["vector", vector],
  ["again", matrix],
]);

describe("encodeGGUF", () => {
  it("writes metadata of every type", () => {
    const read = readGGUF(encodeGGUF({ metadata, tensors: new Map() }));
    expect([...read.metadata.keys()]).toEqual([...metadata.keys()]);
    for (const [name, { value }] of metadata) {
      expect(read.metadata.get(name)).toEqual(name === "a.number" ? Math.fround(0.1) : value);
    }
  });

  it("keeps the bits of numbers, with the last axis first, each tensor at a multiple of 32 bytes", () => {
    const file = encodeGGUF({ metadata, tensors });
    const read = readGGUF(file).tensors;
    expect([...read.keys()]).toEqual(["matrix", "vector", "again"]);
    for (const [name, { shape, values }] of tensors) {
      const tensor = read.get(name);
      if (tensor === undefined) throw new Error(name);
      expect(tensor.lengths).toEqual([...shape].reverse());
      expect(tensor.at % 32).toBe(0);
      expect(new Uint32Array(floatsOf(tensor).buffer)).toEqual(new Uint32Array(values.buffer));
    }
    expect(file.length % 32).toBe(0);
  });

  it("stores matrices in 16 bits, and vectors whole", () => {
    const f16 = readGGUF(encodeGGUF({ metadata, tensors }, "f16")).tensors;
    expect(f16.get("matrix")?.type).toBe(1);
    // 1, 2, 3, 4, 5 and −0 in float16.
    const bits = [0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x8000];
    expect(Array.from(new Uint16Array(f16.get("again")?.bytes.buffer ?? new ArrayBuffer(0)))).toEqual(bits);
    expect(f16.get("vector")?.type).toBe(0);
    expect(readGGUF(encodeGGUF({ metadata, tensors }, "bf16")).tensors.get("matrix")?.type).toBe(30);
  });

  it("refuses a number that 16 bits cannot hold, and a name that llama.cpp cannot read", () => {
    const large = new Map([["big", { shape: [1, 1], values: Float32Array.of(1e5) }]]);
    expect(() => encodeGGUF({ metadata, tensors: large }, "f16")).toThrow(
      /cannot hold 100000, a weight in "big"/,
    );
    const named = (length: number) =>
      encodeGGUF({ metadata, tensors: new Map([["x".repeat(length), vector]]) });
    expect(readGGUF(named(63)).tensors.size).toBe(1);
    expect(() => named(64)).toThrow(ConfigError);
  });
});
