import { describe, expect, it } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import type { Tensor } from "../../../src/autograd/tensor.ts";
import { ShapeError } from "../../../src/errors.ts";
import { linearGelu } from "../../../src/ops/fused/linear-gelu.ts";
import { type GeluForm, gelu } from "../../../src/ops/gelu.ts";
import { linear } from "../../../src/ops/linear.ts";
import { Random } from "../../../src/random.ts";
import { backends } from "../../support/backends.ts";
import { Block } from "../../support/block.ts";
import { checkOp } from "../../support/check-op.ts";
import { inScope } from "../../support/contexts.ts";
import { backwardWithCotangent } from "../../support/gradient-check.ts";
import { normalBelow } from "../../support/textbook-gpt.ts";

const formulas: Record<GeluForm, (x: number) => number> = {
  exact: (x) => x * normalBelow(x),
  tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
};
const forms: readonly GeluForm[] = ["exact", "tanh"];

describe.each(forms)("linearGelu, %s", (form) => {
  it.each([[[5, 3]], [[2, 5, 3]], [[3]], [[0, 3]]])("is gelu(x·W + b) for x %j", async (shape) => {
    const textbook = (x: Block, w: Block, b: Block) => {
      return Block.build([...shape.slice(0, -1), 7], (...i) => {
        const [place, column] = [i.slice(0, -1), i[i.length - 1]];
        let sum = b.at(column);
        for (let k = 0; k < 3; k++) sum += x.at(...place, k) * w.at(k, column);
        return formulas[form](sum);
      });
    };
    await checkOp({ shapes: [shape, [3, 7], [7]], op: (x, w, b) => linearGelu(x, w, b, form), textbook });
  });

  it.each(backends)("equals the two ops on %s, with a bias and without", async (name, open) => {
    for (const bias of [true, false]) {
      const fused = await run(open, bias, (x, w, b) => linearGelu(x, w, b, form));
      const composed = await run(open, bias, (x, w, b) => gelu(linear(x, w, b), form));
      expect(fused[0]).toEqual(composed[0]);
      expect(fused[0].some((value) => value !== 0)).toBe(true);
      // The reference's unaryBackward rounds a derivative to single precision only with dy; the others to the bit.
      if (name !== "reference, single") expect(fused).toEqual(composed);
      fused.forEach((gradient, i) => {
        const scale = Math.max(...Array.from(composed[i], Math.abs));
        gradient.forEach((value, j) => {
          expect(Math.abs(value - composed[i][j])).toBeLessThanOrEqual(1e-6 * scale);
        });
      });
    }
  });
});

it("says what does not fit", async () => {
  await inScope("no-grad", (context) => {
    const [x, w] = [context.persistent([5, 3]), context.persistent([5, 7])];
    expect(() => linearGelu(x, w, null)).toThrow(ShapeError);
  });
});

/** Values, then the gradients of x, W and b. */
async function run(
  open: (typeof backends)[number][1],
  bias: boolean,
  op: (x: Tensor, w: Tensor, b: Tensor | null) => Tensor,
): Promise<(Float32Array | Float64Array)[]> {
  const backend = await open();
  const context = new Context(backend);
  const random = Random.of(1, "linear-gelu");
  const draw = (length: number) => Float32Array.from({ length }, () => 3 * random.normal());
  const x = context.parameter([11, 13], draw(11 * 13));
  const w = context.parameter([13, 19], draw(13 * 19));
  const b = bias ? context.parameter([19], draw(19)) : null;
  const values = await context.scope("no-grad", () => op(x, w, b).read());
  await backwardWithCotangent(context, () => op(x, w, b));
  const gradients = await Promise.all([x, w, ...(b === null ? [] : [b])].map((tensor) => tensor.grad()));
  await backend.close();
  return [values, ...gradients];
}
