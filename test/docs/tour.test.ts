/** The tour is true: its code quotes are in the files it names, its links lead to files, and the library computes its numbers. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Context } from "../../src/autograd/context.ts";
import type { Tensor } from "../../src/autograd/tensor.ts";
import { WindowLoader } from "../../src/data/window-loader.ts";
import { paddingMask } from "../../src/nn/inputs/mask.ts";
import { padTokens } from "../../src/nn/inputs/token-batch.ts";
import { rotaryAngles } from "../../src/nn/layers/rotary-angles.ts";
import { textbookAttention } from "../../src/nn/layers/textbook-attention.ts";
import { countNumbers } from "../../src/nn/parameters.ts";
import { add } from "../../src/ops/add.ts";
import { attention } from "../../src/ops/attention.ts";
import { crossEntropy } from "../../src/ops/cross-entropy.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { gelu } from "../../src/ops/gelu.ts";
import { layerNorm } from "../../src/ops/layer-norm.ts";
import { maskedAdd } from "../../src/ops/masked-add.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { rotary } from "../../src/ops/rotary.ts";
import { scale } from "../../src/ops/scale.ts";
import { slice } from "../../src/ops/slice.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { sum } from "../../src/ops/sum.ts";
import { silu } from "../../src/ops/unary.ts";
import { AdamW } from "../../src/optim/adamw.ts";
import { loadGPT } from "../../src/run/on-disk.ts";
import { candidatesOf, probabilitiesOf } from "../../src/sample/candidates.ts";
import { temper } from "../../src/sample/filters.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";
import { doubleContext, inScope } from "../support/contexts.ts";
import { PAGES, readPage, root } from "../support/pages.ts";

const tourPath = join(root, "docs/tour.md");
const tour = readFileSync(tourPath, "utf8");

test.each(PAGES)("every link of %s leads to a file", (page) => {
  const targets = [...readPage(page).matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
  for (const target of targets.filter((target) => !target.startsWith("https://"))) {
    expect(existsSync(join(dirname(join(root, page)), target.replace(/#.*/, ""))), target).toBe(true);
  }
});

test("the pages link to each other", () => {
  const count = (page: string) => [...readPage(page).matchAll(/\]\(([^)]+)\)/g)].length;
  expect(count("docs/tour.md")).toBeGreaterThan(10);
  expect(count("README.md")).toBeGreaterThan(10);
});

test("every quoted line of code is in the named file, in order", () => {
  const blocks = [...tour.matchAll(/From\s+\[[^\]]+\]\(([^)]+)\):\n\n```ts\n([\s\S]*?)```/g)];
  expect(blocks.length).toBeGreaterThan(12);
  expect(blocks).toHaveLength(tour.match(/^```ts$/gm)?.length ?? 0);
  for (const [, target, code] of blocks) {
    const lines = readFileSync(join(dirname(tourPath), target), "utf8").split("\n");
    let from = 0;
    for (const line of code.trimEnd().split("\n")) {
      const at = lines.indexOf(line, from);
      expect(at, `${target}: ${line}`).toBeGreaterThanOrEqual(0);
      from = at + 1;
    }
  }
});

/** The framed examples, by title. */
const examples = new Map(
  [...tour.matchAll(/^> \*\*([\w ]+)\.\*\* ((?:.*\n(?:> )?)*?)(?=\n)/gm)].map(([, title, text]) => [
    title,
    text.replaceAll("\n> ", " "),
  ]),
);

/** Every number of a text, in order, and its largest possible rounding error. */
function numbersOf(text: string): { value: number; rounding: number }[] {
  return [...text.matchAll(/−?(?:\d{1,3}(?:,\d{3})+|\d+(?:\.(\d+))?)(?:e(-?\d+))?/g)].map(
    ([word, decimals = "", power = "0"]) => ({
      value: Number(word.replaceAll(",", "").replace("−", "-")),
      rounding: 0.5001 * 10 ** (Number(power) - decimals.length) * (decimals === "" && power === "0" ? 0 : 1),
    }),
  );
}

const vector = (context: Context, values: readonly number[]) => context.constant([values.length], values);
const read = async (x: Tensor) => Array.from(await x.read());

/** One op over one vector. */
const apply = (op: (x: Tensor) => Tensor, ...values: number[]) =>
  inScope("no-grad", (context) => read(op(vector(context, values))));

/** The derivatives of a number computed from a vector. */
const derivatives = (values: readonly number[], compute: (x: Tensor) => Tensor) =>
  inScope("grad", async (context) => {
    const x = context.parameter([values.length], values);
    context.backward(compute(x));
    return Array.from(await x.grad());
  });

const lossOf = async (logits: readonly number[], target: number) => {
  const [loss] = await apply((x) => crossEntropy(x, [target]), ...logits);
  return loss;
};

/** All numbers of each example, including its inputs. */
const computed: Readonly<Record<string, () => Promise<number[]>>> = {
  Vocabulary: async () => {
    const tokenizer = CharTokenizer.fromText("no peeking");
    expect(tokenizer.decode([0])).toBe(" ");
    return [tokenizer.vocabSize, ...tokenizer.encode("peek")];
  },

  "Teacher forcing": async () => {
    const ids = CharTokenizer.fromText("no peeking").encode("peeki");
    const { inputs, targets } = new WindowLoader(ids, { contextLength: 4, batchSize: 1, seed: 0 }).batch(0);
    const size = { contextLength: 64, batchSize: 12 };
    const asked = new WindowLoader(new Int32Array(1000), { ...size, seed: 0 }).batch(0).targets.length;
    return [...ids, 4, ...inputs, ...targets, 12, 64, asked];
  },

  Embedding: () =>
    inScope("no-grad", async (context) => {
      const table = context.constant([2, 2], [1, 2, 3, 4]);
      const places = context.constant([2, 2], [0.1, 0.2, 0.3, 0.4]);
      const x = await read(add(embedding(table, [1, 1], [2]), places));
      return [0, 1, 2, 1, 3, 4, 0, 0.1, 0.2, 1, 0.3, 0.4, 1, 1, ...x];
    }),

  Scale: async () => {
    const size = 64;
    const divided = (x: Tensor) => scale(x, 1 / Math.sqrt(size));
    const first = (x: Tensor) => sum(slice(softmax(x), 0, 0, 1));
    const raw = [Math.sqrt(size), 0];
    const scores = await apply(divided, ...raw);
    const weights = [await apply(softmax, ...raw), await apply(softmax, ...scores)];
    const [steep] = await derivatives(raw, first);
    const [gentle] = await derivatives(scores, first);
    return [size, raw[0], 0, ...raw, ...weights[0], size, ...scores, ...weights[1], steep, gentle];
  },

  Rotary: () =>
    inScope("no-grad", async (context) => {
      const angles = rotaryAngles(context, 8, 2, 10_000);
      const rotated = (position: number) =>
        read(rotary(context.constant([1, 2], [1, 0]), angles, [position]));
      const product = ([a, b]: readonly number[], [c, d]: readonly number[]) => a * c + b * d;
      const [first, second] = [await rotated(1), await rotated(2)];
      const near = product(first, second);
      expect(product(await rotated(6), await rotated(7))).toBeCloseTo(near, 12);
      return [1, 1, 0, ...first, 1, ...second, 2, near, 6, 7];
    }),

  Mask: async () => {
    const hidden = (scores: readonly number[]) =>
      inScope("no-grad", (context) => {
        const mask = vector(context, [0, 0, Number.NEGATIVE_INFINITY]);
        return read(softmax(maskedAdd(vector(context, scores), mask)));
      });
    const zeroed = async (scores: readonly number[]) => (await apply(softmax, ...scores)).with(2, 0);
    const masked = await hidden([2, 1, 3]);
    const wrong = await zeroed([2, 1, 3]);
    expect(await hidden([2, 1, 5])).toEqual(masked);
    const total = wrong[0] + wrong[1];
    return [2, 1, 3, ...masked, 0, ...wrong, total, 3, 5, ...(await zeroed([2, 1, 5]))];
  },

  Softmax: async () => {
    const weights = await apply(softmax, 1, 2, 3);
    expect(await apply(softmax, 1001, 1002, 1003)).toEqual(weights);
    const mixed = await inScope("no-grad", (context) =>
      read(matmul(context.constant([1, 3], weights), context.constant([3, 1], [10, 20, 30]))),
    );
    return [1, 2, 3, ...weights, 1001, 1002, 1003, 10, 20, 30, ...mixed];
  },

  Heads: () =>
    inScope("no-grad", async (context) => {
      const queries = context.constant([1, 1, 2], [40, 40]);
      const keys = context.constant([1, 2, 2], [1, 0, 0, 1]);
      const values = context.constant([1, 2, 2], [4, 4, 2, 2]);
      const look = (heads: number) => read(attention(queries, keys, values, { heads, mask: "full" }));
      const given = [40, 40, 1, 0, 0, 1, 4, 4, 2, 2];
      return [...given, ...(await look(1)), ...(await look(2))];
    }),

  Padding: () =>
    inScope("no-grad", async (context) => {
      const { padding, batchSize } = padTokens(
        [
          [5, 6, 7],
          [5, 6],
        ],
        "left",
      );
      // Value s is the unit vector of key s, so the output shows the weights.
      const values = context.constant(
        [batchSize, 3, 3],
        [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1],
      );
      const alike = context.constant([batchSize, 3, 3], new Array(18).fill(0));
      const weights = async (mask: ReturnType<typeof paddingMask>) => {
        const options = { heads: 1, mask, dropout: 0, random: null };
        return (await read(textbookAttention(alike, { keys: alike, values }, options))).slice(-3);
      };
      const both = await weights(paddingMask("causal", padding, 3));
      return [2, 3, ...both, ...(await weights(paddingMask("causal", undefined, 3)))];
    }),

  Residual: async () => {
    const deep = (layer: (x: Tensor) => Tensor) =>
      derivatives([1], (x) => {
        let y = x;
        for (let i = 0; i < 12; i++) y = layer(y);
        return sum(y);
      });
    const chained = await deep((x) => scale(x, 0.1));
    return [0.1, 1, ...chained, ...(await deep((x) => add(x, scale(x, 0.1))))];
  },

  Norm: async () => {
    const norm = (x: Tensor) => layerNorm(x, null, null);
    const small = await apply(norm, 1, 2, 3, 4);
    const large = await apply(norm, 100, 200, 300, 400);
    small.forEach((value, i) => {
      expect(Math.abs(value - large[i])).toBeLessThan(1e-5);
    });
    const [positive, negative] = await apply(gelu, 1, -1);
    return [1, 2, 3, 4, ...small, 100, 200, 300, 400, positive, 1, negative, -1];
  },

  Gate: async () => {
    const [open, half, shut] = await apply(silu, 4, 1, -4);
    return [open, 4, half, 1, shut, -4];
  },

  Loss: async () => {
    const guess = await lossOf(new Array(65).fill(0), 0);
    return [2, 1, 0, await lossOf([2, 1, 0], 0), await lossOf([2, 1, 0], 2), 65, guess, 65];
  },

  Gradient: async () => {
    const logits = [2, 1, 0];
    const gradient = await derivatives(logits, (x) => crossEntropy(x, [0]));
    const stepped = logits.map((logit, i) => logit - gradient[i]);
    const losses = [await lossOf(logits, 0), await lossOf(stepped, 0)];
    return [...logits, ...gradient, 1, ...stepped, ...losses];
  },

  AdamW: async () => {
    const moved = async (gradient: number) => {
      const context = doubleContext();
      const weight = context.parameter([], [0.5]);
      const settings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 };
      const adamw = new AdamW({ weight }, settings);
      await context.scope("grad", () => context.backward(scale(weight, gradient)));
      adamw.step(1, 0.1, 1);
      return weight.item();
    };
    return [0.5, 0.1, 0.3348, await moved(0.3348), 0.0033, await moved(0.0033)];
  },

  Sampling: async () => {
    const offered = candidatesOf([2, 1, 0]);
    const [plain, cool] = [1, 0.5].map((t) => probabilitiesOf(temper(t)(offered)));
    let read = 0;
    for (let length = 1; length <= 256; length++) read += length;
    return [2, 1, 0, ...plain, 1, ...cool, 0.5, 256, 256, read];
  },
};

describe("the library computes the examples' numbers", () => {
  test("every example is computed", () => {
    const frames = tour.match(/^> \*\*/gm) ?? [];
    expect([...examples.keys()]).toHaveLength(frames.length);
    expect([...examples.keys()].sort()).toEqual(Object.keys(computed).sort());
  });

  test.each(Object.keys(computed))("%s", async (title) => {
    const said = numbersOf(examples.get(title) ?? "");
    const found = await computed[title]();
    expect(said.map(({ value }) => value)).toHaveLength(found.length);
    said.forEach(({ value, rounding }, i) => {
      expect(Math.abs(value - found[i]), `number ${i + 1} is ${found[i]}, not ${value}`).toBeLessThanOrEqual(
        Math.max(rounding, 1e-12),
      );
    });
  });

  test("the tour states the size of the bundled model", () => {
    const size = countNumbers(loadGPT(doubleContext()).model.parameters());
    expect(tour).toContain(`${size.toLocaleString("en")} passes`);
  });
});
