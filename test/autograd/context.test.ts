/** Scopes and lifetimes. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { ConfigError, ShapeError, TensorError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { sum } from "../../src/ops/sum.ts";
import { exp } from "../../src/ops/unary.ts";
import { countingBackend, doubleContext, inScope } from "../support/contexts.ts";

test("backward refuses the loss of another context, which its tape does not hold", async () => {
  const [mine, other] = [doubleContext(), doubleContext()];
  const w = other.parameter([2], [1, 2]);
  await mine.scope("grad", () =>
    other.scope("grad", async () => {
      const loss = sum(exp(w));
      expect(() => mine.backward(loss)).toThrow(
        new TensorError(
          "backward: this number lives on another context: call backward on it, or on its context",
        ),
      );
      loss.backward();
      expect((await w.grad())[0]).toBeCloseTo(Math.E);
    }),
  );
});

describe("scope", () => {
  test("has one of two modes", async () => {
    const opened = Reflect.apply(Context.prototype.scope, doubleContext(), ["no-grd", () => 1]);
    const message = '`mode` must be grad or no-grad: got "no-grd"; did you mean "no-grad"?';
    await expect(opened).rejects.toThrow(new ConfigError(message));
  });

  test("returns the result of its body", async () => {
    expect(await inScope("no-grad", (context) => context.constant([2], [3, 5]).read())).toEqual(
      new Float64Array([3, 5]),
    );
    expect(await inScope("grad", () => "at once")).toBe("at once");
  });

  test("frees the tensors created inside, and no persistent ones", async () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const x = context.parameter([3], [1, 2, 3]);
    const y = await context.scope("grad", () => exp(exp(x)));
    expect([...memory.live]).toEqual([x.buffer]);
    const why = "its scope has closed; read results inside the scope";
    expect(() => y.buffer).toThrow(
      new TensorError(`a tensor of 3 numbers was used after it was freed: ${why}`),
    );
    expect(Array.from(await x.read())).toEqual([1, 2, 3]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new RangeError("in the body");
      },
    ],
    ["rejects", () => Promise.reject(new RangeError("in the body"))],
  ])("frees when its body %s, and can be opened again", async (_, fail) => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const x = context.parameter([], [2]);
    const run = context.scope("grad", () => {
      exp(x);
      return fail();
    });
    await expect(run).rejects.toThrow(new RangeError("in the body"));
    expect([...memory.live]).toEqual([x.buffer]);
    expect(await context.scope("no-grad", () => exp(context.constant([], [0])).item())).toBe(1);
  });

  test("rejects a second scope on the same context", async () => {
    const context = doubleContext();
    const error = new TensorError(
      "scope: another scope is already open on this context: await it first, or use a second context",
    );
    await context.scope("grad", async () => {
      await expect(context.scope("no-grad", () => 1)).rejects.toThrow(error);
    });
    const first = context.scope("grad", () => Promise.resolve(1));
    await expect(context.scope("grad", () => 2)).rejects.toThrow(error);
    // The rejected scope leaves the open one open.
    expect(await first).toBe(1);
    expect(await context.scope("grad", () => 3)).toBe(3);
  });

  test("scopes of two contexts may be open at once", async () => {
    const run = (value: number) =>
      inScope("grad", async (context) => {
        const x = context.parameter([], [value]);
        await Promise.resolve();
        const y = exp(x);
        await Promise.resolve();
        context.backward(y);
        return (await x.grad())[0];
      });
    const [one, two] = await Promise.all([run(0), run(1)]);
    expect(one).toBe(1);
    expect(two).toBeCloseTo(Math.E, 14);
  });

  test("is required by ops and constants", () => {
    const context = doubleContext();
    const x = context.parameter([], [1]);
    const error = new TensorError(
      "no scope is open: run ops inside context.scope(…), which frees their results",
    );
    expect(() => exp(x)).toThrow(error);
    expect(() => context.constant([], [1])).toThrow(error);
  });
});

describe("creating tensors", () => {
  test("rejects values that do not fill the shape", async () => {
    const context = doubleContext();
    const parameter = new ShapeError("parameter: (2, 3) holds 6 numbers: got 5 values");
    expect(() => context.parameter([2, 3], [1, 2, 3, 4, 5])).toThrow(parameter);
    await context.scope("no-grad", () => {
      const constant = new ShapeError("constant: () holds 1 numbers: got 0 values");
      expect(() => context.constant([], [])).toThrow(constant);
    });
  });

  test.each([[[2, -1]], [[1.5]], [[Number.NaN]]])("rejects the shape %j", (shape) => {
    expect(() => doubleContext().persistent(shape)).toThrow(ShapeError);
  });

  test("a persistent tensor lives until it is freed", () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const x = context.persistent([5]);
    x.free();
    expect(memory.live.size).toBe(0);
    expect(() => x.buffer).toThrow(
      new TensorError("a tensor of 5 numbers was used after it was freed: free was called on it"),
    );
    x.free();
    context.close();
  });

  test("close frees persistent tensors and their gradients, and no more can be created", async () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const x = context.parameter([3], [1, 2, 3]);
    const held = context.persistent([7]);
    await context.scope("grad", () => context.backward(sum(x)));
    expect(memory.live.size).toBe(3);
    context.close();
    expect(memory.live.size).toBe(0);
    const freed = "was used after it was freed: its context has closed";
    expect(() => held.buffer).toThrow(new TensorError(`a tensor of 7 numbers ${freed}`));
    expect(() => context.persistent([1])).toThrow(
      new TensorError("this context has closed and cannot create tensors"),
    );
  });

  test("without a tape, freeAllBut frees the temporaries and keeps the result", async () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const x = context.persistent([5]);
    await context.scope("no-grad", async () => {
      const before = exp(x);
      const temporaries = context.temporaries();
      let y = before;
      const inner: Tensor[] = [];
      for (let layer = 0; layer < 3; layer++) {
        const inside = exp(y);
        inner.push(inside);
        y = temporaries.freeAllBut(add(inside, y));
        // x, the tensors created before the loop, and the last result.
        expect(memory.live.size).toBe(3);
      }
      for (const tensor of inner) expect(() => tensor.buffer).toThrow("it was a temporary");
      expect(await y.read()).toHaveLength(5);
      expect(await before.read()).toHaveLength(5);
      // A result that is older than the mark, or persistent, stays; the temporaries are still freed.
      expect(temporaries.freeAllBut(x)).toBe(x);
      expect(() => y.buffer).toThrow("it was a temporary");
      expect(memory.live.size).toBe(2);
    });
    expect(memory.live.size).toBe(1);
    await context.scope("grad", () => {
      const temporaries = context.temporaries();
      temporaries.freeAllBut(add(exp(x), x));
      // With a tape, backward needs all of them.
      expect(memory.live.size).toBe(3);
    });
    expect(memory.live.size).toBe(1);
  });

  test("a scratch buffer is freed, even after an error", () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    expect(context.withScratch(5, (buffer) => buffer.length)).toBe(5);
    expect(() =>
      context.withScratch(5, () => {
        throw new RangeError("inside");
      }),
    ).toThrow(RangeError);
    expect(memory.live.size).toBe(0);
  });

  test("backward rejects a graph with a tensor that was freed explicitly", async () => {
    const { backend, memory } = countingBackend();
    const context = new Context(backend);
    const x = context.parameter([], [1]);
    await context.scope("grad", () => {
      const y = exp(x);
      const z = add(y, x);
      y.free();
      expect(() => context.backward(z)).toThrow(TensorError);
    });
    x.free();
    expect(memory.live.size).toBe(0);
  });
});
