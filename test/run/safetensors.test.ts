import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/run/safetensors.ts";
import { messageOfA } from "../support/errors.ts";

/**
 * Written by the Python package safetensors 0.8.0:
 * save_file({"b": np.arange(6, dtype=np.float32).reshape(2, 3) / 4, "a": np.float32([[-1.5]]),
 *            "empty": np.zeros((0, 3), np.float32), "s": np.array(3.25, dtype=np.float32)},
 *           path, metadata={"who": "é"})
 */
const WRITTEN_BY_PYTHON =
  "AAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJ3aG8iOiLDqSJ9LCJhIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxLDFdLCJkYXRh" +
  "X29mZnNldHMiOlswLDRdfSwiYiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMiwzXSwiZGF0YV9vZmZzZXRzIjpbNCwyOF19LCJl" +
  "bXB0eSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMCwzXSwiZGF0YV9vZmZzZXRzIjpbMjgsMjhdfSwicyI6eyJkdHlwZSI6IkYz" +
  "MiIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMjgsMzJdfX0gAADAvwAAAAAAAIA+AAAAPwAAQD8AAIA/AACgPwAAUEA=";

const tensor = (shape: readonly number[], ...values: number[]): StoredTensor => ({
  shape,
  values: Float32Array.from(values),
});

/** A file with this header and this many zero bytes of data. */
function fileOf(header: string, dataBytes = 0, headerLength = Buffer.byteLength(header)): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(headerLength));
  return Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(dataBytes)]);
}

const messageOf = messageOfA(CheckpointError);

const refusal = (bytes: Uint8Array) => messageOf(() => decodeSafetensors(bytes, "m.safetensors"));

describe("encodeSafetensors", () => {
  it("writes the same bytes as Python's safetensors", () => {
    const tensors = new Map([
      ["a", tensor([1, 1], -1.5)],
      ["b", tensor([2, 3], 0, 0.25, 0.5, 0.75, 1, 1.25)],
      ["empty", tensor([0, 3])],
      ["s", tensor([], 3.25)],
    ]);
    const bytes = encodeSafetensors(tensors, { who: "é" });
    expect(Buffer.from(bytes).toString("base64")).toBe(WRITTEN_BY_PYTHON);
  });

  it("aligns the data to a multiple of 8 for any names", () => {
    for (let length = 0; length < 17; length++) {
      const bytes = encodeSafetensors(new Map([["n".repeat(length), tensor([1], 7)]]));
      expect((bytes.length - 4) % 8).toBe(0);
      expect(decodeSafetensors(bytes, "f").tensors.get("n".repeat(length))?.values[0]).toBe(7);
    }
  });

  it("writes values that are part of a larger array", () => {
    const values = Float32Array.of(1, 2, 3, 4, 5).subarray(2, 4);
    const { tensors } = decodeSafetensors(encodeSafetensors(new Map([["w", { shape: [2], values }]])), "f");
    expect(tensors.get("w")).toEqual(tensor([2], 3, 4));
  });

  it("rejects a shape that does not fit the values, and the reserved name", () => {
    const wrong = new Map([["w", tensor([2, 3], 1, 2, 3, 4, 5)]]);
    expect(messageOf(() => encodeSafetensors(wrong))).toContain("w: shape [2,3] is 6 numbers: got 5");
    const reserved = new Map([["__metadata__", tensor([1], 1)]]);
    expect(messageOf(() => encodeSafetensors(reserved))).toContain("__metadata__");
  });
});

describe("decodeSafetensors", () => {
  it("reads files of Python's safetensors", () => {
    const { tensors, metadata } = decodeSafetensors(Buffer.from(WRITTEN_BY_PYTHON, "base64"), "f");
    expect(metadata).toEqual({ who: "é" });
    expect(Array.from(tensors.keys())).toEqual(["a", "b", "empty", "s"]);
    expect(tensors.get("b")).toEqual(tensor([2, 3], 0, 0.25, 0.5, 0.75, 1, 1.25));
    expect(tensors.get("empty")).toEqual(tensor([0, 3]));
    expect(tensors.get("s")).toEqual(tensor([], 3.25));
  });

  it("preserves names, order, shapes and bits, at any offset in memory", () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom("7", "10", "__proto__", "constructor", "toString", "é\n"),
    );
    const values = fc.array(fc.nat(0xffffffff), { maxLength: 11 });
    const entries = fc.uniqueArray(fc.tuple(name, values), {
      selector: ([key]) => key,
      maxLength: 7,
    });
    fc.assert(
      fc.property(entries, fc.dictionary(fc.string(), fc.string()), fc.nat(7), (given, metadata, shift) => {
        const tensors = new Map(
          given
            .filter(([key]) => key !== "__metadata__")
            .map(([key, bits]) => {
              const stored = {
                shape: [bits.length, 1],
                values: new Float32Array(Uint32Array.from(bits).buffer),
              };
              return [key, stored];
            }),
        );
        const bytes = encodeSafetensors(tensors, metadata);
        const moved = new Uint8Array(bytes.length + shift);
        moved.set(bytes, shift);
        const again = decodeSafetensors(moved.subarray(shift), "f");
        expect(new Map(Object.entries(again.metadata))).toEqual(new Map(Object.entries(metadata)));
        expect(new Set(again.tensors.keys())).toEqual(new Set(tensors.keys()));
        for (const [key, { shape, values }] of tensors) {
          expect(again.tensors.get(key)?.shape).toEqual(shape);
          // Compared as bits: NaN has many, and −0 is not 0.
          const bits = new Uint32Array(again.tensors.get(key)?.values.buffer ?? new ArrayBuffer(0));
          expect(bits).toEqual(new Uint32Array(values.buffer));
        }
      }),
    );
  });

  it("keeps the order of numeric names", () => {
    const bytes = encodeSafetensors(
      new Map([
        ["9", tensor([1], 9)],
        ["b", tensor([1], 2)],
        ["3", tensor([1], 3)],
      ]),
    );
    expect(Array.from(decodeSafetensors(bytes, "f").tensors.keys())).toEqual(["9", "b", "3"]);
  });

  it("reads part of a larger buffer without keeping it alive", () => {
    const bytes = encodeSafetensors(new Map([["w", tensor([2], 5, 6)]]));
    const { tensors } = decodeSafetensors(bytes, "f");
    bytes.fill(0);
    expect(Array.from(tensors.get("w")?.values ?? [])).toEqual([5, 6]);
  });

  it("rejects a file that is truncated anywhere or too long", () => {
    const bytes = Buffer.from(WRITTEN_BY_PYTHON, "base64");
    for (let length = 0; length < bytes.length; length++) {
      expect(refusal(bytes.subarray(0, length))).toMatch(/^m\.safetensors: .*(cut short|damaged)/s);
    }
    expect(refusal(Buffer.concat([bytes, Buffer.alloc(1)]))).toContain("fill 32 bytes of data: got 33");
  });

  it("fails only with a CheckpointError, whichever bit flips", () => {
    const bytes = Buffer.from(WRITTEN_BY_PYTHON, "base64");
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] ^= 1 << (bit & 7);
      try {
        decodeSafetensors(flipped, "f");
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
      }
    }
  });

  it("does not trust the length of the header", () => {
    const huge = Buffer.alloc(64, 0xff);
    expect(refusal(huge)).toContain("its header should have at most 8388608 bytes: got 18446744073709551615");
    expect(refusal(fileOf("{}", 0, 3))).toContain("its header should have 3 bytes, and 2 follow");
    expect(decodeSafetensors(fileOf("{}"), "f").tensors.size).toBe(0);
  });

  it.each([
    ["", "not JSON"],
    ["{", "not JSON"],
    ["\uFEFF{}", "not JSON"],
    ["[".repeat(100_000), "nests too deep"],
    [`{"w":{"shape":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`, "nests too deep"],
    [`{"__metadata__":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`, "nests too deep"],
    [`{"w":{"dtype":"F32","shape":[${"1,".repeat(100_000)}1],"data_offsets":[0,8]}}`, "needs 4 bytes: got 8"],
    [`{"${"n".repeat(100_000)}":7}`, "n…"],
    ["[]", "expected a header {…}: got []"],
    ["null", "got null"],
    ["7", "got 7"],
    ['{"__metadata__":{"a":1}}', '__metadata__ should hold strings by name: got {"a":1}'],
    ['{"__metadata__":["a"]}', "__metadata__ should hold strings"],
    ['{"__metadata__":null}', "__metadata__ should hold strings"],
    ['{"a":{},"a":{}}', '"a" appears twice'],
    ['{"__metadata__":{"k":"v","k":"w"}}', '"k" appears twice'],
    ['{"__proto__":{}}', 'tensor "__proto__" should be'],
    ['{"w":null}', 'tensor "w" should be'],
    ['{"w":{"dtype":"F32","shape":[1]}}', 'tensor "w" should be'],
    ['{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}', 'tensor "w" should be'],
  ])("rejects the header %.40s", (header, reason) => {
    const message = refusal(fileOf(header));
    expect(message).toContain("m.safetensors: ");
    expect(message).toContain(reason);
    expect(message.length).toBeLessThan(400);
  });

  it("rejects a header that is not UTF-8", () => {
    const bytes = fileOf('{"w":1}');
    bytes[10] = 0xff;
    expect(refusal(bytes)).toContain("its header is not UTF-8");
  });

  const entry = (fields: object) => ({ dtype: "F32", shape: [3], data_offsets: [0, 12], ...fields });
  const file = (tensors: object, dataBytes: number) => fileOf(JSON.stringify(tensors), dataBytes);

  it.each([
    ["another type of number", { dtype: "F16" }],
    ["no type", { dtype: 4 }],
    ["a length that is not whole", { shape: [1.5, 2] }],
    ["a negative length", { shape: [-3, -1] }],
    ["a length beyond exact numbers", { shape: [1e300] }],
    ["lengths as text", { shape: ["3"] }],
    ["no list of lengths", { shape: 3 }],
    ["a negative offset", { data_offsets: [-4, 8] }],
    ["an offset that is not whole", { data_offsets: [0.5, 12.5] }],
    ["an offset too few", { data_offsets: [12] }],
    ["an offset too many", { data_offsets: [0, 12, 12] }],
    ["offsets the wrong way round", { data_offsets: [12, 0] }],
    ["a shape with fewer bytes", { shape: [2] }],
    ["a shape with more bytes", { shape: [3, 2] }],
    ["a size that overflows", { shape: [2 ** 40, 2 ** 40] }],
    ["a size that overflows to nothing", { shape: [...Array(40).fill(2 ** 52), 0], data_offsets: [0, 12] }],
  ])("rejects %s", (_, fields) => {
    const message = refusal(file({ w: entry(fields) }, 12));
    expect(message).toMatch(/^m\.safetensors: tensor "w" (should be|of shape .* needs)/);
  });

  it.each([
    ["an end beyond the file", { a: entry({}), b: entry({ data_offsets: [12, 24] }) }, 20, "cut short"],
    [
      "an end far beyond the file",
      { a: entry({ shape: [2 ** 40], data_offsets: [0, 2 ** 42] }) },
      20,
      "cut short",
    ],
    ["an overlap", { a: entry({}), b: entry({ data_offsets: [8, 20] }) }, 20, "should start at byte 12"],
    ["the same place twice", { a: entry({}), b: entry({}) }, 12, "should start at byte 12 of the data"],
    ["a gap", { a: entry({}), b: entry({ data_offsets: [16, 28] }) }, 28, "should start at byte 12"],
    ["a gap at the start", { a: entry({ data_offsets: [4, 16] }) }, 16, "should start at byte 0"],
    ["data that belongs to no tensor", { a: entry({}) }, 16, "fill 12 bytes of data: got 16"],
  ])("rejects %s", (_, tensors, dataBytes, reason) => {
    expect(refusal(file(tensors, dataBytes))).toContain(reason);
  });

  it("accepts tensors in any order of names, and an empty one between others", () => {
    const tensors = {
      late: entry({ data_offsets: [12, 24] }),
      empty: entry({ shape: [0], data_offsets: [12, 12] }),
      early: entry({}),
    };
    const { tensors: read } = decodeSafetensors(file(tensors, 24), "f");
    expect(Array.from(read.keys())).toEqual(["early", "empty", "late"]);
  });

  it("treats __proto__ like any other name", () => {
    const bytes = fileOf('{"__proto__":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}', 12);
    expect(decodeSafetensors(bytes, "f").tensors.get("__proto__")?.shape).toEqual([3]);
    expect(Object.hasOwn(Object.prototype, "shape")).toBe(false);
  });
});
