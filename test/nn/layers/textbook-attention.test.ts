/** Textbook and fused attention have the same numbers, the same gradients and the same dropped weights. */
import { describe, expect, test } from "vitest";
import type { Context } from "../../../src/autograd/context.ts";
import type { Tensor } from "../../../src/autograd/tensor.ts";
import { causalMask, textbookAttention } from "../../../src/nn/layers/textbook-attention.ts";
import { attention } from "../../../src/ops/attention.ts";
import { crossEntropy } from "../../../src/ops/cross-entropy.ts";
import { Random } from "../../../src/random.ts";
import { Block } from "../../support/block.ts";
import { expectClose } from "../../support/check-op.ts";
import { doubleContext } from "../../support/contexts.ts";
import { backwardWithCotangent } from "../../support/gradient-check.ts";
import { randomIds, tinyModel } from "../../support/models.ts";

const { NEGATIVE_INFINITY } = Number;

test("the causal mask hides later keys from each query", () => {
  const no = NEGATIVE_INFINITY;
  // biome-ignore format: a matrix.
  expect(Array.from(causalMask(3, 3))).toEqual([
    0, no, no,
    0, 0, no,
    0, 0, 0,
  ]);
  // Two queries, the last of five positions.
  // biome-ignore format: a matrix.
  expect(Array.from(causalMask(2, 5))).toEqual([
    0, 0, 0, 0, no,
    0, 0, 0, 0, 0,
  ]);
});

describe.each([0, 0.3])("fused and textbook attention agree, with dropout %d", (dropout) => {
  test.each([
    [2, 5, 5, 6, 3, 3],
    [3, 2, 7, 10, 2, 2],
    [1, 1, 3, 7, 1, 1],
    [2, 5, 5, 18, 6, 2],
    [1, 2, 3, 8, 4, 1],
  ])(
    "B = %i, T = %i, S = %i, C = %i, H = %i, H_kv = %i",
    async (batchSize, queries, keys, channels, heads, kvHeads) => {
      const run = async (form: (q: Tensor, k: Tensor, v: Tensor, random: Random) => Tensor) => {
        const context = doubleContext();
        const operands = [queries, keys, keys].map((positions, i) => {
          const shape = [batchSize, positions, i === 0 ? channels : (channels / heads) * kvHeads];
          return context.parameter(shape, Block.random(shape, `operand ${i}`).values);
        });
        const [q, k, v] = operands;
        const f = () => form(q, k, v, Random.of(23));
        const y = await context.scope("no-grad", () => f().read());
        await backwardWithCotangent(context, f);
        return [y, ...(await Promise.all(operands.map((operand) => operand.grad())))];
      };
      const textbook = await run((q, k, v, random) =>
        textbookAttention(q, { keys: k, values: v }, { heads, mask: causalMask, dropout, random }),
      );
      const fused = await run((q, k, v, random) =>
        attention(q, k, v, { heads, mask: "causal", dropout, random }),
      );
      ["y", "dq", "dk", "dv"].forEach((name, i) => {
        expectClose(fused[i], textbook[i], 1e-12, name);
      });
      if (dropout > 0) {
        const plain = await run((q, k, v) => attention(q, k, v, { heads, mask: "causal" }));
        expect(plain[0], "something is dropped").not.toEqual(fused[0]);
      }
    },
  );

  test("in the whole model, for the loss and every gradient", async () => {
    const ids = randomIds(10, 11, "ids");
    const targets = randomIds(10, 11, "targets");
    const run = async (form: "textbook" | "fused") => {
      const context: Context = doubleContext();
      const model = tinyModel(context, { attention: form, dropout });
      const loss = await context.scope("grad", () => {
        const pass = { cache: null, random: Random.of(29) };
        const root = crossEntropy(model.forward({ ids, batchSize: 2 }, pass), targets);
        context.backward(root);
        return root.item();
      });
      const gradients = Object.values(model.parameters()).map((tensor) => tensor.grad());
      return { loss, gradients: await Promise.all(gradients) };
    };
    const [textbook, fused] = [await run("textbook"), await run("fused")];
    expectClose([fused.loss], [textbook.loss], 1e-12, "loss");
    fused.gradients.forEach((gradient, i) => {
      expectClose(gradient, textbook.gradients[i], 1e-12, `gradient of parameter ${i}`);
    });
  });
});
