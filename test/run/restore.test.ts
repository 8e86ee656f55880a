import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { restore, snapshot } from "../../src/run/restore.ts";
import type { StoredTensor } from "../../src/run/safetensors.ts";
import { doubleContext } from "../support/contexts.ts";

const stored = (shape: number[], first: number): StoredTensor => ({
  shape,
  values: Float32Array.from(
    { length: shape.reduce((size, length) => size * length, 1) },
    (_, i) => first + i,
  ),
});

function makeTensors() {
  const context = doubleContext();
  return {
    matrix: context.parameter([2, 3], new Float64Array(6)),
    vector: context.parameter([5], new Float64Array(5)),
  };
}

describe("restore", () => {
  it("fills every tensor by name; snapshot returns the values", async () => {
    const tensors = makeTensors();
    // In another order than the tensors.
    const values = new Map([
      ["vector", stored([5], 0.25)],
      ["matrix", stored([2, 3], -1)],
    ]);
    restore(tensors, values, "file");
    expect(Array.from(await tensors.matrix.read())).toEqual([-1, 0, 1, 2, 3, 4]);
    expect(Array.from(await tensors.vector.read())).toEqual([0.25, 1.25, 2.25, 3.25, 4.25]);
    const copies = await snapshot(tensors);
    expect([...copies.keys()]).toEqual(["matrix", "vector"]);
    expect(copies).toEqual(values);
    // A copy: later training does not change it.
    tensors.vector.context.backend.fill(tensors.vector.buffer, 7);
    expect(copies).toEqual(values);
  });

  it.each([
    ["lacks a tensor", { vector: null }, 'file: lacks the tensor "vector" (5)'],
    ["has another shape", { vector: stored([6], 1) }, '"vector" should be (5), as config.json says: got (6)'],
    ["has the axes swapped", { matrix: stored([3, 2], 1) }, '"matrix" should be (2, 3)'],
    ["holds more", { "matrix.old": stored([2], 1) }, 'holds a tensor "matrix.old"'],
    ["holds a name that every object has", { toString: stored([2], 1) }, 'holds a tensor "toString"'],
  ])("a file that %s changes nothing", async (_what, changes, message) => {
    const tensors = makeTensors();
    const values = new Map([
      ["matrix", stored([2, 3], 1)],
      ["vector", stored([5], 1)],
    ]);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) values.delete(name);
      else values.set(name, value);
    }
    expect(() => restore(tensors, values, "file")).toThrow(CheckpointError);
    expect(() => restore(tensors, values, "file")).toThrow(message);
    expect(Array.from(await tensors.matrix.read())).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
