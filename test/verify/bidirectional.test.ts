/** The check that every position attends to every other: an encoder passes, a GPT fails. */
import { expect, test } from "vitest";
import { adaptEncoder } from "../../src/verify/adapters.ts";
import { checkBidirectional } from "../../src/verify/bidirectional.ts";
import { doubleContext } from "../support/contexts.ts";
import { randomIds, tinyEncoder, tinyModel } from "../support/models.ts";
import { complaints, optionsFor } from "../support/verify.ts";

const options = optionsFor([randomIds(5, 11, "both sides", 0), randomIds(5, 11, "both sides", 1)]);

test("an encoder attends in both directions", async () => {
  const check = await checkBidirectional(adaptEncoder(tinyEncoder(doubleContext())), options);
  expect(complaints(check)).toBe("");
  expect(check).toMatchObject({ ok: true, comparisons: 25, compared: "25 pairs of positions, none 0" });
});

test("a GPT attends to no later position, and the check names each pair", async () => {
  const check = await checkBidirectional(tinyModel(doubleContext()), options);
  expect(check.failures).toBe(4 + 3 + 2 + 1);
  for (let t = 0; t < 5; t++) {
    for (let s = t + 1; s < 5; s++) {
      const missing = `the logits at position ${t} do not depend on the input at position ${s} in any`;
      expect(complaints(check)).toContain(missing);
    }
  }
});
