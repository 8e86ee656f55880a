/** A replayed decoding step has the bits of a full pass, for every kind of model, and allocates no memory. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Backend, Buffer, CapturedCalls } from "../../../src/backend/backend.ts";
import { loadKernels, openBackend } from "../../../src/backend/open.ts";
import { WasmBackend } from "../../../src/backend/wasm/host/wasm-backend.ts";
import type { GPTConfig } from "../../../src/nn/config.ts";
import type { GPT } from "../../../src/nn/gpt.ts";
import { cachedLogits, fullLogits, nextLogitsOfRows } from "../../../src/sample/logits.ts";
import { logitsOf } from "../../../src/verify/logits.ts";
import { CHOICES, randomIds, tinyModel } from "../../support/models.ts";

const module = await loadKernels();

/** Counts captures, replays and live buffers. */
class CountingBackend extends WasmBackend {
  captures = 0;
  replays = 0;
  buffers = 0;
  allocated = 0;

  constructor() {
    super(module);
  }

  override alloc(length: number): Buffer {
    this.buffers++;
    this.allocated++;
    return super.alloc(length);
  }

  override free(buffer: Buffer): void {
    this.buffers--;
    super.free(buffer);
  }

  override capture(body: () => void): CapturedCalls | null {
    const calls = super.capture(body);
    if (calls === null) return null;
    this.captures++;
    const replay = () => {
      this.replays++;
      calls.replay();
    };
    return { replay, free: () => calls.free() };
  }

  get bytes(): number {
    return this.heap.bytes;
  }
}

function modelOn(backend: Backend, changes: Partial<GPTConfig> = {}): GPT {
  // Heads of four channels: with other sizes the host copies operands, and no step can be captured.
  const sizes = { contextLength: 13, dModel: 12, heads: 3 };
  return tinyModel(new Context(backend), { attention: "fused", ...sizes, ...changes });
}

describe.each([{}, ...CHOICES])("a model with %j", (choice) => {
  test("has the bits of a full pass when its steps are replayed", async () => {
    const backend = new CountingBackend();
    const model = modelOn(backend, choice);
    const ids = randomIds(13, 11, "ids");
    expect(await cachedLogits(model, ids)).toEqual(await fullLogits(model, ids));
    // The first step runs, the second is captured, the others are replayed.
    expect([backend.captures, backend.replays]).toEqual([1, 11]);
  });

  test("decodes rows of different lengths side by side as each alone", async () => {
    const backend = new CountingBackend();
    const model = modelOn(backend, choice);
    const rows = [5, 2, 3].map((length) => randomIds(length, 11, `row ${length}`));
    const cache = model.makeCache(3);
    await nextLogitsOfRows(model, cache, rows);
    for (let step = 0; step < 7; step++) {
      const next = rows.map((_, b) => (3 * step + 5 * b) % 11);
      const found = await nextLogitsOfRows(
        model,
        cache,
        next.map((id) => [id]),
      );
      for (const [b, row] of rows.entries()) {
        row.push(next[b]);
        const alone = await fullLogits(model, row);
        expect(Array.from(found[b])).toEqual(Array.from(alone.slice(-11)));
      }
    }
    expect(backend.replays).toBe(5);
    cache.free();
  });
});

describe("steps", () => {
  test("have the same bits on several threads", async () => {
    const long = { contextLength: 131, dModel: 96, heads: 3, layers: 2 };
    const ids = randomIds(131, 11, "long");
    const found: Float64Array[] = [];
    for (const threads of [1, 2, 3]) {
      const backend = await openBackend("wasm", threads);
      found.push(await cachedLogits(modelOn(backend, long), ids));
      await backend.close();
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  test("are captured again when there are more keys than the capture was for", async () => {
    const backend = new CountingBackend();
    const model = modelOn(backend, { contextLength: 300 });
    const ids = randomIds(300, 11, "many keys");
    expect(await cachedLogits(model, ids)).toEqual(await fullLogits(model, ids));
    // Captures for 64, 128, 256 and 300 keys; the first step is not captured.
    expect([backend.captures, backend.replays]).toEqual([4, 295]);
  });

  test("use weights that changed in between", async () => {
    const backend = new CountingBackend();
    const model = modelOn(backend);
    const { context, transformer } = model;
    const cache = model.makeCache(1);
    const next = (id: number) => nextLogitsOfRows(model, cache, [[id]]);
    for (const id of [1, 2, 3]) await next(id);
    const before = await next(4);
    const { weight } = transformer.blocks[1].mlp.down;
    backend.fill(weight.buffer, 0.25);
    cache.clear();
    for (const id of [1, 2, 3]) await next(id);
    const after = await next(4);
    expect(backend.replays).toBeGreaterThan(4);
    expect(after).not.toEqual(before);
    const whole = await context.scope("no-grad", () =>
      model.forward({ ids: [1, 2, 3, 4], batchSize: 1 }).read(),
    );
    expect(Array.from(after[0])).toEqual(Array.from(whole.slice(-11)));
    cache.free();
  });

  test("are not replayed while watched, and report every op", async () => {
    const model = modelOn(new CountingBackend());
    const cache = model.makeCache(1);
    const step = () => model.decode({ ids: [3], batchSize: 1 }, cache);
    const shown = () => {
      const ops: string[] = [];
      return model.context.scope("no-grad", () => {
        model.context.watch(({ op }) => ops.push(op), step);
        return ops;
      });
    };
    const first = await shown();
    for (let i = 0; i < 3; i++) await model.context.scope("no-grad", () => void step());
    expect(first.length).toBeGreaterThan(10);
    expect(await shown()).toEqual(first);
    cache.free();
  });

  test("are replayed if as many rows are selected after every token, as in beam search", async () => {
    const backend = new CountingBackend();
    const model = modelOn(backend);
    const cache = model.makeCache(2);
    const text: number[][] = [[], []];
    for (let i = 0; i < 9; i++) {
      const next = [i, 10 - i];
      const found = await nextLogitsOfRows(model, cache, [[next[0]], [next[1]]]);
      for (const [b, row] of text.entries()) row.push(next[b]);
      const whole = await fullLogits(model, text[1]);
      expect(Array.from(found[1])).toEqual(Array.from(whole.slice(-11)));
      cache.select([1, 0]);
      text.reverse();
    }
    expect([backend.captures, backend.replays]).toEqual([1, 7]);
    cache.select([1]);
    const alone = await nextLogitsOfRows(model, cache, [[3]]);
    expect(Array.from(alone[0])).toEqual(Array.from((await fullLogits(model, [...text[1], 3])).slice(-11)));
    expect([backend.captures, backend.replays]).toEqual([1, 7]);
    cache.free();
  });

  test("with textbook attention are not captured, and have the same results", async () => {
    const backend = new CountingBackend();
    const model = modelOn(backend, { attention: "textbook" });
    const ids = randomIds(9, 11, "textbook");
    const cached = await cachedLogits(model, ids);
    const { values } = await logitsOf(model, [ids]);
    expect(Array.from(cached)).toEqual(Array.from(values));
    expect(backend.captures).toBe(0);
  });
});

describe("memory", () => {
  test("does not grow: a token leaves no buffers behind", async () => {
    const backend = new CountingBackend();
    const model = modelOn(backend, { contextLength: 4000 });
    const cache = model.makeCache(1);
    const token = (id: number) => nextLogitsOfRows(model, cache, [[id]]);
    // Until the capture is for all 4,000 keys.
    for (let i = 0; i < 2100; i++) await token(i % 11);
    const before = { buffers: backend.buffers, bytes: backend.bytes, allocated: backend.allocated };
    await token(1);
    const perToken = backend.allocated - before.allocated;
    // The input of the blocks and the logits; nothing inside the blocks.
    expect(perToken).toBeLessThanOrEqual(6);
    for (let i = 0; i < 1800; i++) await token(i % 11);
    expect(backend.buffers).toBe(before.buffers);
    expect(backend.bytes).toBe(before.bytes);
    expect(backend.allocated).toBe(before.allocated + 1801 * perToken);
    cache.free();
  });

  test("of the host does not grow over thousands of tokens", async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const model = modelOn(new CountingBackend(), { contextLength: 8000 });
    const cache = model.makeCache(1);
    const run = async (tokens: number) => {
      for (let i = 0; i < tokens; i++) await nextLogitsOfRows(model, cache, [[i % 11]]);
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await run(2000);
    const after = await run(5000);
    // A leak of 100 bytes per token would be half a megabyte.
    expect(after - before).toBeLessThan(250_000);
    cache.free();
  });

  test("is freed with the cache", async () => {
    const backend = new CountingBackend();
    const model = modelOn(backend);
    const before = backend.buffers;
    for (let i = 0; i < 50; i++) await cachedLogits(model, randomIds(5, 11, "again"));
    const { bytes } = backend;
    for (let i = 0; i < 500; i++) await cachedLogits(model, randomIds(5, 11, "again"));
    expect(backend.buffers).toBe(before);
    expect(backend.bytes).toBe(bytes);
  });
});
