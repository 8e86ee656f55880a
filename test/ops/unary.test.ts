/** exp, log, sqrt, tanh, relu and its square, silu, gelu; and softCap, scale and negate, which are as simple. */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { gelu } from "../../src/ops/gelu.ts";
import { negate } from "../../src/ops/negate.ts";
import { scale } from "../../src/ops/scale.ts";
import { softCap } from "../../src/ops/soft-cap.ts";
import { exp, log, relu, reluSquared, silu, sqrt, tanh } from "../../src/ops/unary.ts";
import type { Random } from "../../src/random.ts";
import { Block } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { inScope } from "../support/contexts.ts";
import { normalBelow } from "../support/textbook-gpt.ts";

const positive = (random: Random) => 0.5 + 2 * random.uniform();
/** No closer to 0 than the differences reach, since relu has a corner there. */
const awayFromZero = (random: Random) => (random.uniform() < 0.5 ? -1 : 1) * (0.1 + random.uniform());
const wide = (random: Random) => 3 * random.normal();

const cases: {
  name: string;
  op: (x: Tensor) => Tensor;
  formula: (x: number) => number;
  draw: (random: Random) => number;
}[] = [
  { name: "exp", op: exp, formula: Math.exp, draw: wide },
  { name: "log", op: log, formula: Math.log, draw: positive },
  { name: "sqrt", op: sqrt, formula: Math.sqrt, draw: positive },
  { name: "tanh", op: tanh, formula: Math.tanh, draw: wide },
  { name: "relu", op: relu, formula: (x) => Math.max(0, x), draw: awayFromZero },
  { name: "relu squared", op: reluSquared, formula: (x) => Math.max(0, x) ** 2, draw: awayFromZero },
  { name: "silu", op: silu, formula: (x) => x / (1 + Math.exp(-x)), draw: wide },
  { name: "soft cap", op: (x) => softCap(x, 2.5), formula: (x) => 2.5 * Math.tanh(x / 2.5), draw: wide },
  { name: "gelu", op: (x) => gelu(x), formula: (x) => x * normalBelow(x), draw: wide },
  {
    name: "gelu, tanh form",
    op: (x) => gelu(x, "tanh"),
    formula: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
    draw: wide,
  },
  { name: "scale", op: (x) => scale(x, -2.5), formula: (x) => -2.5 * x, draw: wide },
  { name: "scale by 0", op: (x) => scale(x, 0), formula: () => 0, draw: positive },
  { name: "negate", op: negate, formula: (x) => -x, draw: wide },
];

describe.each(cases)("$name", ({ op, formula, draw }) => {
  test.each([[[5, 7]], [[]], [[0, 3]]])("of shape %j", async (shape) => {
    const textbook = (x: Block) => Block.build(shape, (...i) => formula(x.at(...i)));
    await checkOp({ shapes: [shape], draw, op, textbook });
  });
});

test("relu has derivative 0 at 0", async () => {
  await inScope("grad", async (context) => {
    const x = context.parameter([], [0]);
    context.backward(relu(x));
    expect(await x.grad()).toEqual(new Float64Array([0]));
  });
});
