import { expect, it } from "vitest";
import { joinBytes } from "../../src/util/join-bytes.ts";

it("joins copies of pieces in order", () => {
  const first = Uint8Array.of(1, 2, 3);
  const joined = joinBytes([first.subarray(1), new Uint8Array(0), Uint8Array.of(4)]);
  first.fill(9);
  expect(joined).toEqual(Uint8Array.of(2, 3, 4));
  expect(joinBytes([])).toEqual(new Uint8Array(0));
});
