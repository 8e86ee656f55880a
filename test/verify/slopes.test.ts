/** The check of gradients against differences: right ones pass, and wrong ones of many kinds do not. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Backend, Span } from "../../src/backend/backend.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { numbersOf } from "../../src/backend/reference/span.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { checkSlopes } from "../../src/verify/slopes.ts";
import { doubleContext, withKernels } from "../support/contexts.ts";
import { randomIds, TINY, tinyModel } from "../support/models.ts";
import { complaints, optionsFor } from "../support/verify.ts";

const options = optionsFor([randomIds(7, 11, "slopes", 0), randomIds(7, 11, "slopes", 1)]);

test.each<Partial<GPTConfig>>([
  {},
  { attention: "fused", bias: false, tieHead: false },
  { attention: "fused", bigram: true, activation: "gelu-tanh" },
  { contextLength: 1, layers: 1 },
])("right gradients pass, with %j", async (changes) => {
  const model = tinyModel(doubleContext(), changes);
  const before = await model.tokenEmbedding.read();
  const { texts } = options;
  const cut = { ...options, texts: texts.map((text) => text.slice(0, model.config.contextLength)) };
  const check = await checkSlopes(model, cut);
  expect(check.counterExamples).toEqual([]);
  expect(check.ok).toBe(true);
  // Each tensor along one direction and in one number at least; most of them in two.
  const tensors = Object.keys(model.parameters()).length;
  expect(check.comparisons).toBeGreaterThanOrEqual(2 * tensors);
  expect(check.compared).toContain(`in ${tensors} tensors`);
  expect(await model.tokenEmbedding.read(), "the weights are as they were").toEqual(before);
});

test("right gradients pass where the loss bends sharply: weights as GPT-2 draws them", async () => {
  const config = { ...TINY, layers: 1, heads: 2, contextLength: 13 };
  for (const seed of [1, 2, 3]) {
    const model = new GPT(doubleContext(), config, Random.of(seed));
    const check = await checkSlopes(model, { ...options, seed });
    expect(check.counterExamples).toEqual([]);
  }
});

describe("wrong gradients are found", () => {
  const inner = new ReferenceBackend("double");
  /** dTable[indices[i]] = dy[i]: a scatter that forgets to add. */
  const overwriteRows = (dTable: Span, dy: Span, indices: Span, rows: number, columns: number) => {
    const [to, from, at] = [dTable, dy, indices].map(numbersOf);
    for (let i = 0; i < rows * columns; i++) {
      to[at[Math.floor(i / columns)] * columns + (i % columns)] = from[i];
    }
  };
  const sabotages: [string, Partial<Backend>, RegExp][] = [
    [
      "GELU's derivative in the form of its approximation",
      {
        mapWithSlope: (name, y, slope, x) => {
          const spare = inner.alloc(x.length);
          inner.mapWithSlope("gelu-tanh", spare, spare, x);
          inner.map(name, y, x);
          inner.scale({ span: slope, accumulate: false }, spare, 1);
          inner.free(spare);
        },
      },
      /^blocks\.0\.mlp\.expand\.weight, all 144 numbers in a random direction: backward gives a slope of/m,
    ],
    [
      "one part in a hundred thousand too much through attention",
      {
        attentionBackward: (dq, ...rest) => {
          inner.attentionBackward(dq, ...rest);
          inner.scale({ span: dq.span, accumulate: false }, dq.span, 1 + 1e-5);
        },
      },
      /^blocks\.0\.attention\.query\.weight/m,
    ],
    [
      "repeated tokens that overwrite instead of adding",
      { scatterAddRows: overwriteRows },
      /^tokenEmbedding/m,
    ],
    [
      "one number of a norm's gradient",
      {
        normalizeRowsBackward: (...args) => {
          inner.normalizeRowsBackward(...args);
          const dWeight = args[1];
          if (dWeight !== null) numbersOf(dWeight.span)[3] += 1e-4;
        },
      },
      /^finalNorm\.weight, all 6 numbers/m,
    ],
  ];

  test.each(sabotages)("%s", async (_, replaced, where) => {
    const model = tinyModel(new Context(withKernels(inner, replaced)), { attention: "fused" });
    const repeated = { ...options, texts: [[4, 4, 1, 4, 0, 9, 2]] };
    const check = await checkSlopes(model, repeated);
    expect(check.ok).toBe(false);
    expect(complaints(check)).toMatch(where);
  });

  test("not a number is no slope", async () => {
    const model = tinyModel(doubleContext());
    model.context.backend.write(model.tokenEmbedding.span, [Number.NaN], 2);
    expect((await checkSlopes(model, options)).ok).toBe(false);
  });
});
