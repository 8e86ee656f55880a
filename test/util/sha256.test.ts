import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { sha256Hex } from "../../src/util/sha256.ts";

it.each([0, 1, 55, 56, 63, 64, 65, 1009, 100_003])("is Node's hash of %i bytes", (length) => {
  const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
  expect(sha256Hex(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
});
