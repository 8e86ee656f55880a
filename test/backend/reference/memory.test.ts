/** Memory of the reference backend, which is strict on purpose to detect ops that misuse it. */
import { describe, expect, test } from "vitest";
import { ReferenceBackend } from "../../../src/backend/reference/reference-backend.ts";
import { BackendError } from "../../../src/errors.ts";

describe.each(["single", "double"] as const)("memory in %s precision", (precision) => {
  const backend = new ReferenceBackend(precision);

  test("new memory holds NaN, which exposes reads of unwritten memory", async () => {
    expect((await backend.read(backend.alloc(3))).every(Number.isNaN)).toBe(true);
  });

  test("stores numbers at that precision", async () => {
    const buffer = backend.alloc(1);
    backend.write(buffer, [0.1]);
    expect((await backend.read(buffer))[0]).toBe(precision === "double" ? 0.1 : Math.fround(0.1));
  });

  test("write starts at its offset, fill covers the buffer, read returns a copy", async () => {
    const buffer = backend.alloc(5);
    backend.fill(buffer, 7);
    backend.write(buffer, [1, 2], 2);
    const copy = await backend.read(buffer);
    expect(Array.from(copy)).toEqual([7, 7, 1, 2, 7]);
    copy.fill(0);
    expect(Array.from(await backend.read(buffer))).toEqual([7, 7, 1, 2, 7]);
  });

  test("every kernel rejects freed memory and memory of another backend", () => {
    const freed = backend.alloc(3);
    const live = backend.alloc(3);
    backend.free(freed);
    const error = new BackendError("reference: a buffer of 3 was used after free");
    expect(() => backend.fill(freed, 0)).toThrow(error);
    expect(() => backend.free(freed)).toThrow(error);
    expect(() => backend.read(freed)).toThrow(error);
    expect(() => backend.unary("exp", live, freed)).toThrow(error);
    expect(() => backend.scale({ buffer: freed, accumulate: false }, live, 2)).toThrow(error);
    const foreign = new BackendError("reference: this buffer lives in another backend's memory");
    expect(() => backend.unary("exp", live, { length: 3 })).toThrow(foreign);
  });
});
