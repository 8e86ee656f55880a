/** The masks of section 6 are what the model sees, and its counts are those of the model alone and in a batch. */
import { beforeAll, describe, expect, test } from "vitest";
import { Context } from "../../../src/autograd/context.ts";
import { ReferenceBackend } from "../../../src/backend/reference/reference-backend.ts";
import { SampleError, TokenError } from "../../../src/errors.ts";
import { GPT } from "../../../src/nn/gpt.ts";
import { padTokens, rowsOf } from "../../../src/nn/inputs/token-batch.ts";
import { softmax } from "../../../src/ops/softmax.ts";
import type { Engine } from "../../../src/play/engine/engine.ts";
import { type PaddingRequest, padding } from "../../../src/play/engine/padding.ts";
import { Random } from "../../../src/random.ts";
import { brokenGPT } from "../../../src/verify/broken-gpt.ts";
import { copyWeights } from "../../../src/verify/copy.ts";
import { nodeEngine } from "../../support/play.ts";

const TEXTS = ["Tilda ran", "Milo"] as const;
const SIDES = ["left", "right"] as const;
const HIDDEN = Number.NEGATIVE_INFINITY;
let engine: Engine;

beforeAll(async () => {
  ({ engine } = await nodeEngine());
});

function answer(changes: Partial<PaddingRequest> = {}) {
  return padding(engine, { model: "shipped", mask: "on", texts: TEXTS, side: "left", ...changes });
}

describe("masks", () => {
  test("both masks are added, and a row of padding on the left sees nothing", async () => {
    const { rows, blind } = await answer({ texts: ["abc", "a"] });
    expect(rows.map(({ tokens }) => tokens)).toEqual([
      ["a", "b", "c"],
      [null, null, "a"],
    ]);
    const causal = [
      [0, HIDDEN, HIDDEN],
      [0, 0, HIDDEN],
      [0, 0, 0],
    ];
    expect(rows[0]).toMatchObject({ causal, both: causal });
    expect(rows[1].causal).toEqual(causal);
    expect(rows[1].padding).toEqual(Array(3).fill([HIDDEN, HIDDEN, 0]));
    expect(rows[1].both).toEqual([
      [HIDDEN, HIDDEN, HIDDEN],
      [HIDDEN, HIDDEN, HIDDEN],
      [HIDDEN, HIDDEN, 0],
    ]);
    expect(blind).toMatchObject({ row: 1, position: 0 });
  });

  test.each(SIDES)(
    "padded on the %s, a query sees exactly the keys whose change moves its logits",
    async (side) => {
      const { rows } = await answer({ side });
      const { model, tokenizer } = await engine.viewed("shipped");
      const tokens = padTokens(
        TEXTS.map((text) => tokenizer.encode(text)),
        side,
      );
      const ids = Array.from(tokens.ids);
      const T = ids.length / 2;
      const V = tokenizer.vocabSize;
      const logits = (changed: number[]) =>
        model.context.scope("no-grad", () => model.forward({ ...tokens, ids: changed }).read());
      const before = await logits(ids);
      const { starts, ends } = rowsOf(tokens);
      for (const [b, { both }] of rows.entries()) {
        for (let key = 0; key < T; key++) {
          const after = await logits(ids.map((id, i) => (i === b * T + key ? (id + 1) % V : id)));
          // The logits of queries at padding are meaningless.
          for (let query = starts[b]; query < ends[b]; query++) {
            const at = (b * T + query) * V;
            const moved = before.subarray(at, at + V).some((logit, i) => logit !== after[at + i]);
            expect(moved ? 0 : HIDDEN, `row ${b}, query ${query}, key ${key}`).toBe(both[query][key]);
          }
        }
      }
    },
  );

  test("without the causal mask, only padding is hidden, and no row sees nothing", async () => {
    const { rows, blind } = await answer({ mask: "off" });
    expect(blind).toBeNull();
    expect(rows[1].causal.flat().every((value) => value === 0)).toBe(true);
    expect(rows[1].both).toEqual(rows[1].padding);
  });

  test("shifted by one, a row sees the next token, but not the padding after the text", async () => {
    const { rows } = await answer({ mask: "shifted", side: "right", texts: ["abc", "ab"] });
    expect(rows[1].both).toEqual([
      [0, 0, HIDDEN],
      [0, 0, HIDDEN],
      [0, 0, HIDDEN],
    ]);
  });
});

test("the row that sees nothing: NaN by the formula, 0 from the op", async () => {
  const { blind, rows } = await answer();
  if (blind === null) throw new Error("no row sees nothing");
  expect(blind.scores).toHaveLength(rows[0].tokens.length);
  expect(blind.scores.every(Number.isFinite)).toBe(true);
  expect(new Set(blind.scores).size).toBeGreaterThan(1);
  expect(new Set(blind.exponentials)).toEqual(new Set([0]));
  expect(blind.textbook.every(Number.isNaN)).toBe(true);
  const context = new Context(new ReferenceBackend());
  const zeros = await context.scope("no-grad", () =>
    softmax(context.constant([1, 9], new Float64Array(9).fill(HIDDEN))).read(),
  );
  expect(blind.weights).toEqual(Array.from(zeros));
});

describe("counts of unchanged logits", () => {
  const equal = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).filter((x, i) => x === b[i]).length;

  test.each(SIDES)("padded on the %s, they are those of GPTs without a part of the mask", async (side) => {
    const { unchanged } = await answer({ side });
    const { model, tokenizer } = await engine.viewed("shipped");
    const { context, config } = model;
    const whole = new GPT(context, { ...config, attention: "textbook" }, Random.zeros());
    const onlyCausal = brokenGPT("padding", context, config);
    await copyWeights(model.parameters(), whole.parameters());
    await copyWeights(model.parameters(), onlyCausal.parameters());
    const ids = TEXTS.map((text) => tokenizer.encode(text));
    const tokens = padTokens(ids, side);
    const V = tokenizer.vocabSize;
    const from = (TEXTS[0].length + rowsOf(tokens).starts[1]) * V;
    const logitsOf = (of: GPT, batch: Parameters<GPT["forward"]>[0]) =>
      context.scope("no-grad", () => of.forward(batch).read());
    const short = (all: Float32Array | Float64Array) => all.subarray(from, from + TEXTS[1].length * V);
    const alone = { ids: ids[1], batchSize: 1 };

    expect(unchanged).toMatchObject({ row: 1, logits: TEXTS[1].length * V });
    expect(unchanged?.both).toBe(equal(await logitsOf(model, alone), short(await logitsOf(model, tokens))));
    expect(unchanged?.both).toBe(unchanged?.logits);
    const causal = equal(await logitsOf(whole, alone), short(await logitsOf(onlyCausal, tokens)));
    expect(unchanged?.onlyCausal).toBe(causal);
    // Padding on the right is in the future, so that the causal mask hides it too.
    expect(causal).toBe(side === "left" ? 0 : unchanged?.logits);
    expect(unchanged?.onlyPadding).toBe(0);
  });

  test("hold with each position of the switch", async () => {
    for (const mask of ["off", "shifted"] as const)
      for (const side of SIDES) {
        const { unchanged } = await answer({ mask, side });
        expect(unchanged?.both, `${mask}, ${side}`).toBe(unchanged?.logits);
        expect(unchanged?.onlyCausal, `${mask}, ${side}`).toBeLessThan(unchanged?.logits ?? 0);
      }
  });

  test("are of the shorter text, whichever it is, and none without padding", async () => {
    expect((await answer({ texts: ["abc", "abcd"] })).unchanged).toMatchObject({ row: 0, logits: 3 * 65 });
    const { unchanged, blind } = await answer({ texts: ["abc", "cab"] });
    expect([unchanged, blind]).toEqual([null, null]);
  });
});

test("texts that cannot be shown are refused, and the model's mask stays", async () => {
  await expect(answer({ texts: ["abc", ""] })).rejects.toThrow(SampleError);
  await expect(answer({ texts: ["abc", "a".repeat(13)] })).rejects.toThrow(
    "room for 12 tokens: “aaaaaaaaaaaaa” has 13",
  );
  await expect(answer({ texts: ["abc", "é"] })).rejects.toThrow(TokenError);
  const { model } = await engine.viewed("shipped");
  expect(model.maskMatrix).toBeNull();
});
