/** Every mask against its definition: which query sees which key. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { paddingMask } from "../../../src/nn/inputs/mask.ts";
import { paddedRows, sees } from "../../support/key-ranges.ts";

test("without padding, the mask stays as it is", () => {
  expect(paddingMask("causal", undefined, 5)).toBe("causal");
  expect(paddingMask("full", undefined, 5)).toBe("full");
});

test.each(["causal", "full"] as const)("self-attention, %s: a token sees its own row's tokens", (kind) => {
  fc.assert(
    fc.property(paddedRows, ({ positions, padding }) => {
      const mask = paddingMask(kind, padding, positions);
      padding.starts.forEach((start, b) => {
        const isToken = (t: number) => start <= t && t < padding.ends[b];
        for (let query = 0; query < positions; query++) {
          for (let key = 0; key < positions; key++) {
            if (!isToken(query) && isToken(key)) continue; // What padding sees does not matter.
            const expected = isToken(key) && (kind === "full" || key <= query);
            expect(typeof mask !== "string" && sees(mask[b], query, key)).toBe(expected);
          }
        }
      });
    }),
  );
});
