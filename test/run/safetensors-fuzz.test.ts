/**
 * Malicious files. Whatever a file contains, it is rejected with a CheckpointError or read correctly, and the reader
 * never allocates more memory than the size of the file.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { decodeSafetensors } from "../../src/run/safetensors.ts";

function fileOf(header: string, data: Uint8Array, lie = 0n): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt.asUintN(64, BigInt(Buffer.byteLength(header)) + lie));
  return Buffer.concat([prefix, Buffer.from(header), data]);
}

/** Reads a file, checks the result against an independent parse, and returns whether it was accepted. */
function judge(bytes: Uint8Array): boolean {
  let read: ReturnType<typeof decodeSafetensors>;
  try {
    read = decodeSafetensors(bytes, "f");
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    expect(error.message.length).toBeLessThan(600);
    return false;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = 8 + Number(view.getBigUint64(0, true));
  const header = new Map<string, { shape: number[]; data_offsets: [number, number] }>(
    Object.entries(JSON.parse(Buffer.from(bytes.subarray(8, end)).toString())),
  );
  header.delete("__metadata__");
  expect(new Set(read.tensors.keys())).toEqual(new Set(header.keys()));
  let taken = 0;
  for (const [name, { shape, values }] of read.tensors) {
    const { shape: told, data_offsets: offsets = [0, 0] } = header.get(name) ?? {};
    expect(shape).toEqual(told);
    const piece = bytes.subarray(end + offsets[0], end + offsets[1]);
    expect(Buffer.from(values.buffer).equals(piece)).toBe(true);
    taken += values.byteLength;
  }
  expect(taken).toBe(bytes.length - end);
  return true;
}

const name = fc.oneof(
  fc.constantFrom(
    "w",
    "w",
    "a",
    "__proto__",
    "constructor",
    "toString",
    "../x",
    "/etc/passwd",
    "__metadata__",
    "",
  ),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const odd = fc.oneof(
  fc.constantFrom(
    -1,
    -4,
    0.5,
    1e300,
    2 ** 31,
    2 ** 32,
    2 ** 40,
    2 ** 53,
    2 ** 53 - 1,
    null,
    "4",
    true,
    [],
    {},
  ),
  fc.double(),
);
const length = fc.oneof({ weight: 9, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: odd });
const offset = fc.oneof({ weight: 9, arbitrary: fc.nat(6).map((n) => 4 * n) }, { weight: 1, arbitrary: odd });
const entry = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        dtype: fc.oneof(
          { weight: 9, arbitrary: fc.constant("F32") },
          { weight: 1, arbitrary: fc.constantFrom("F16", "f32", 4) },
        ),
        shape: fc.oneof(
          { weight: 9, arbitrary: fc.array(length, { maxLength: 3 }) },
          { weight: 1, arbitrary: odd },
        ),
        data_offsets: fc.oneof(
          { weight: 9, arbitrary: fc.tuple(offset, offset) },
          { weight: 1, arbitrary: fc.array(offset, { maxLength: 3 }) },
        ),
      },
      { requiredKeys: ["shape"] },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
);
/** As text, so that names can appear twice. */
const header = fc
  .array(fc.tuple(name, entry), { maxLength: 4 })
  .map(
    (pairs) =>
      `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`,
  );
/** Valid files of adjacent tensors, which must be accepted. */
const honest = fc.uniqueArray(fc.tuple(name, fc.array(fc.nat(3), { maxLength: 3 })), {
  selector: ([key]) => key,
  maxLength: 5,
});

it("rejects random files or reads them correctly", () => {
  let taken = 0;
  fc.assert(
    fc.property(
      header,
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(0n, 0n, 0n, 1n, -1n, 2n ** 63n),
      (text, data, lie) => {
        if (judge(fileOf(text, data, lie))) taken += 1;
      },
    ),
    { numRuns: 4000 },
  );
  expect(taken).toBeGreaterThan(10);
});

it("reads adjacent tensors, and rejects those with gaps or overlaps", () => {
  const places = fc.array(fc.record({ from: fc.nat(4), length: fc.nat(3) }), { minLength: 1, maxLength: 4 });
  const counts = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(places, (tensors) => {
      const fields = tensors.map(({ from, length }, i) => {
        const entry = { dtype: "F32", shape: [length], data_offsets: [4 * from, 4 * (from + length)] };
        return `"${i}":${JSON.stringify(entry)}`;
      });
      const end = Math.max(...tensors.map(({ from, length }) => from + length));
      counts[judge(fileOf(`{${fields.join(",")}}`, new Uint8Array(4 * end))) ? "taken" : "refused"] += 1;
    }),
    { numRuns: 2000 },
  );
  expect(counts.taken).toBeGreaterThan(20);
  expect(counts.refused).toBeGreaterThan(100);
});

it("rejects valid files with changed bytes or reads them correctly", () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
  const counts = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(honest, changes, (tensors, changed) => {
      let at = 0;
      const fields = tensors
        .filter(([key]) => key !== "__metadata__")
        .map(([key, shape]) => {
          const from = at;
          at += 4 * shape.reduce((size, each) => size * each, 1);
          return `${JSON.stringify(key)}:${JSON.stringify({ dtype: "F32", shape, data_offsets: [from, at] })}`;
        });
      const bytes = fileOf(
        `{${fields.join(",")}}`,
        Uint8Array.from({ length: at }, (_, i) => i * 37),
      );
      expect(judge(bytes)).toBe(true);
      for (const [place, value] of changed) bytes[place % bytes.length] = value;
      counts[judge(bytes) ? "taken" : "refused"] += 1;
    }),
    { numRuns: 2000 },
  );
  expect(counts.taken).toBeGreaterThan(100);
  expect(counts.refused).toBeGreaterThan(100);
});

it("allocates no memory for the claims of a header", () => {
  const claims = [2 ** 31, 2 ** 38, 2 ** 45].flatMap((count) => [
    { w: { dtype: "F32", shape: [count], data_offsets: [0, 4 * count] } },
    {
      a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      w: { dtype: "F32", shape: [count], data_offsets: [4, 4 + 4 * count] },
    },
  ]);
  const before = process.memoryUsage().arrayBuffers;
  for (const claim of claims) expect(judge(fileOf(JSON.stringify(claim), new Uint8Array(8)))).toBe(false);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});
