/** The encoder–decoder against plain numbers, its gradients, its cache and its padding. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ConfigError, ShapeError, TokenError } from "../../src/errors.ts";
import type { ModelConfig } from "../../src/nn/config.ts";
import type { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import {
  type PaddingSide,
  padLike,
  padTokens,
  rowsOf,
  type TokenBatch,
} from "../../src/nn/inputs/token-batch.ts";
import { crossEntropy, IGNORED } from "../../src/ops/cross-entropy.ts";
import { Random } from "../../src/random.ts";
import { greedyAnswers } from "../../src/sample/greedy-answers.ts";
import { backends } from "../support/backends.ts";
import { expectClose } from "../support/check-op.ts";
import { countingBackend, doubleContext } from "../support/contexts.ts";
import { expectAllReached, gradientError } from "../support/gradient-check.ts";
import { randomIds, TINY, tinySeq2Seq } from "../support/models.ts";
import { parametersOf, textbookSeq2Seq } from "../support/textbook-gpt.ts";
import { sameBits } from "../support/verify.ts";

const { vocabSize: V, dModel: C, contextLength: T } = TINY;
const [END, START, SCORES] = [V, V + 1, V + 1];
/** Sources, and what the decoder reads after each, of unequal lengths. */
const sources = [3, 7, 5].map((length, b) => randomIds(length, V, "source", b));
const written = [4, 2, 6].map((length, b) => [START, ...randomIds(length - 1, V, "written", b)]);

const variants: Partial<ModelConfig>[] = [
  {},
  { attention: "fused", heads: 2, tieHead: false },
  { attention: "fused", activation: "gelu-tanh", bias: false, layers: 1 },
  { positions: "rotary", norm: "rms", qkNorm: true, activation: "swiglu" },
];

const one = (ids: readonly number[]): TokenBatch => ({ ids, batchSize: 1 });

/** The logits at each row's own tokens. */
function ownRows(values: ArrayLike<number>, tokens: TokenBatch): number[][] {
  const { starts, ends } = rowsOf(tokens);
  const rowSize = values.length / tokens.batchSize;
  const all = Array.from(values);
  return starts.map((start, b) => all.slice(b * rowSize + start * SCORES, b * rowSize + ends[b] * SCORES));
}

async function logitsOf(model: EncoderDecoder, source: TokenBatch, tokens: TokenBatch): Promise<number[][]> {
  return ownRows(await model.context.scope("no-grad", () => model.forward(source, tokens).read()), tokens);
}

test.each(variants)("forward is the textbook's, with %j", async (changes) => {
  const model = tinySeq2Seq(doubleContext(), changes);
  const parameters = await parametersOf(model);
  for (const [b, source] of sources.entries()) {
    const [logits] = await logitsOf(model, one(source), one(written[b]));
    expectClose(logits, textbookSeq2Seq(model.config, parameters, source, written[b]).flat(), 1e-10, "logit");
  }
});

/** Sizes for which every number can be nudged. */
const SMALL: Partial<ModelConfig> = { layers: 1, heads: 1, dModel: 3, contextLength: 4 };

test.each<Partial<ModelConfig>>([
  {},
  { attention: "fused", heads: 3, tieHead: false },
  { attention: "fused", activation: "gelu-tanh", bias: false },
  { attention: "fused", dropout: 0.2 },
  { dModel: 4, bias: false, positions: "rotary", norm: "rms", qkNorm: true, activation: "swiglu" },
])("every parameter's gradient is the derivative of the loss, with %j", async (changes) => {
  const model = tinySeq2Seq(doubleContext(), { ...SMALL, ...changes }, "slopes");
  const source = padTokens([[3, 10, 3, 0], [6]], "right");
  const tokens = padTokens(
    [
      [START, 4],
      [START, 1, 9],
    ],
    "left",
  );
  const targets = padLike(
    tokens,
    [
      [4, END],
      [IGNORED, 9, END],
    ],
    IGNORED,
  );
  const loss = () => {
    const pass = { cache: null, random: Random.of(17, "dropout") };
    return crossEntropy(model.forward(source, tokens, pass), targets);
  };
  const { worst, where } = await gradientError(model.context, model.parameters(), loss);
  expect(worst, where).toBeLessThan(1e-6);
  await expectAllReached(model.parameters(), "key.bias");
});

describe.each(backends)("on %s", (_, open) => {
  describe.each(["textbook", "fused"] as const)("with %s attention", (attention) => {
    const modelOf = async () => tinySeq2Seq(new Context(await open()), { attention }, "bits");

    test("every token of the source reaches every position of the answer", async () => {
      const model = await modelOf();
      const [source, tokens] = [sources[1], one(written[2])];
      const [before] = await logitsOf(model, one(source), tokens);
      for (const s of source.keys()) {
        const changed = source.map((id, i) => (i === s ? (id + 1) % V : id));
        const [after] = await logitsOf(model, one(changed), tokens);
        for (const t of written[2].keys()) {
          const at = (row: number[]) => row.slice(t * SCORES, (t + 1) * SCORES);
          expect(sameBits(at(before), at(after)), `source ${s}, answer ${t}`).toBe(false);
        }
      }
    });

    test.each<[PaddingSide, PaddingSide]>([
      ["left", "right"],
      ["right", "left"],
      ["right", "right"],
    ])("padding sources on the %s and answers on the %s changes no bit", async (ofSource, ofAnswer) => {
      const model = await modelOf();
      const tokens = padTokens(written, ofAnswer);
      const padded = await logitsOf(model, padTokens(sources, ofSource), tokens);
      for (const [b, source] of sources.entries()) {
        const [alone] = await logitsOf(model, one(source), one(written[b]));
        expect(sameBits(padded[b], alone), `row ${b}`).toBe(true);
      }
    });

    test("a source of padding alone gives numbers all the same", async () => {
      const model = await modelOf();
      const [logits] = await logitsOf(
        model,
        padTokens([[], [1, 2]], "right"),
        padTokens([[START], [START, 3]], "right"),
      );
      for (const logit of logits) expect(Number.isFinite(logit)).toBe(true);
    });

    test("through the cache, and with keys and values kept, the bits are those of the whole pass", async () => {
      const model = await modelOf();
      const source = padTokens(sources, "right");
      const whole = await logitsOf(model, source, padTokens(written, "right"));
      const cache = model.makeCache(written.length);
      await model.context.scope("no-grad", async () => {
        const encoderOutput = model.project(model.encode(source));
        expect(encoderOutput.projected).toHaveLength(2);
        for (const [first, last] of [
          [0, 1],
          [1, 3],
          [3, 6],
        ]) {
          const parts = padTokens(
            written.map((row) => row.slice(first, last)),
            "right",
          );
          const values = await model.decode(parts, encoderOutput, { cache, random: null }).read();
          for (const [b, own] of ownRows(values, parts).entries()) {
            const expected = whole[b].slice(first * SCORES, last * SCORES);
            expect(sameBits(own, expected), `row ${b} from ${first}`).toBe(true);
          }
        }
      });
      expect(cache.lengths).toEqual([4, 2, 6]);
      cache.free();
    });

    test("greedy answers are the highest logits of whole passes, and the same side by side as alone", async () => {
      const model = await modelOf();
      const together = await greedyAnswers(model, padTokens(sources, "right"));
      for (const [b, source] of sources.entries()) {
        const ids: number[] = [];
        let ended = false;
        while (!ended && ids.length < T) {
          const [logits] = await logitsOf(model, one(source), one([START, ...ids]));
          const last = logits.slice(-SCORES);
          const best = last.indexOf(Math.max(...last));
          ended = best === END;
          if (!ended) ids.push(best);
        }
        expect(together[b], `row ${b}`).toEqual({ ids, ended });
        expect(await greedyAnswers(model, one(source))).toEqual([{ ids, ended }]);
      }
    });
  });
});

test("a row that has ended stays as it is beside rows that go on", async () => {
  let mixed = 0;
  for (let seed = 0; seed < 12; seed++) {
    const model = tinySeq2Seq(doubleContext(), { layers: 1, tieHead: false }, seed);
    const together = await greedyAnswers(model, padTokens(sources, "right"));
    for (const [b, source] of sources.entries()) {
      expect(await greedyAnswers(model, one(source)), `seed ${seed}, row ${b}`).toEqual([together[b]]);
    }
    const lengths = together.map(({ ids }) => ids.length);
    if (together.some(({ ended, ids }) => ended && ids.length < Math.max(...lengths))) mixed++;
  }
  expect(mixed, "batches in which one row ended before another").toBeGreaterThan(0);
});

test("a model that says [end] at once answers with nothing, one that never does stops when there is no room", async () => {
  const answersWith = async (id: number) => {
    const model = tinySeq2Seq(doubleContext(), { tieHead: false });
    const { buffer } = model.parameters()["head.weight"];
    const { "decoder.finalNorm.bias": bias } = model.parameters();
    // One channel of the last norm is large, and the head reads it for one token alone.
    model.context.backend.write(bias.buffer, [1000], 2);
    const weights = Float64Array.from({ length: C * SCORES }, (_, i) => (i === 2 * SCORES + id ? 1 : 0));
    model.context.backend.write(buffer, weights);
    return greedyAnswers(model, padTokens(sources, "right"));
  };
  expect(await answersWith(END)).toEqual(sources.map(() => ({ ids: [], ended: true })));
  expect(await answersWith(5)).toEqual(sources.map(() => ({ ids: new Array(T).fill(5), ended: false })));
});

test("answering leaves nothing behind, also when it fails", async () => {
  const { backend, memory } = countingBackend();
  const model = tinySeq2Seq(new Context(backend));
  const before = memory.live.size;
  await greedyAnswers(model, padTokens(sources, "right"));
  await expect(greedyAnswers(model, one(new Array(T + 1).fill(0)))).rejects.toThrow(
    "encoder: sequences may be 7 tokens long: got 8 ids in 1 rows",
  );
  expect(memory.live.size).toBe(before);
});

test("parameters have these names: two stacks, the second with cross-attention", () => {
  const model = tinySeq2Seq(doubleContext(), { layers: 1, bias: false, tieHead: false });
  const attention = (name: string) =>
    ["query", "key", "value", "output"].map((part) => `${name}.${part}.weight ${C},${C}`);
  const rest = (stack: string) => [
    `${stack}.blocks.0.mlpNorm.weight ${C}`,
    `${stack}.blocks.0.mlp.up.weight ${C},${4 * C}`,
    `${stack}.blocks.0.mlp.down.weight ${4 * C},${C}`,
    `${stack}.finalNorm.weight ${C}`,
  ];
  const first = (stack: string) => [
    `${stack}.positionEmbedding ${T},${C}`,
    `${stack}.blocks.0.attentionNorm.weight ${C}`,
    ...attention(`${stack}.blocks.0.attention`),
  ];
  expect(Object.entries(model.parameters()).map(([name, { shape }]) => `${name} ${shape}`)).toEqual([
    `tokenEmbedding ${V + 2},${C}`,
    ...first("encoder"),
    ...rest("encoder"),
    ...first("decoder"),
    `decoder.blocks.0.crossNorm.weight ${C}`,
    ...attention("decoder.blocks.0.cross"),
    ...rest("decoder"),
    `head.weight ${C},${V + 1}`,
  ]);
});

test("refuses what does not fit", async () => {
  const model = tinySeq2Seq(doubleContext());
  await model.context.scope("no-grad", () => {
    const long = one(new Array(T + 1).fill(0));
    expect(() => model.forward(long, one([START]))).toThrow(ShapeError);
    expect(() => model.forward(one([1]), long)).toThrow("decoder: sequences may be 7 tokens long");
    expect(() => model.forward(one([START + 1]), one([START]))).toThrow(TokenError);
    expect(() => model.forward({ ids: [1, 2], batchSize: 2 }, one([START]))).toThrow(
      new ShapeError("decoder: needs a source for each of 1 rows: got 2"),
    );
  });
  expect(() => tinySeq2Seq(doubleContext(), { heads: 4 })).toThrow(ConfigError);
});
