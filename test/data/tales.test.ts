import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { entropyFloor, TALES_PATH } from "../../src/data/corpus.ts";
import { knownFloor } from "../../src/data/tales.ts";

const facts: unknown = JSON.parse(readFileSync(TALES_PATH.replace(/txt$/, "json"), "utf8"));
const sha256 = createHash("sha256").update(readFileSync(TALES_PATH)).digest("hex");

it("knows the floor of the tales, and of no other text", async () => {
  expect(knownFloor(sha256, facts)).toBe(0.514561);
  expect(await entropyFloor(sha256)).toBe(0.514561);
  expect(knownFloor(sha256.replace(/^./, "f"), facts)).toBeNull();
  expect(await entropyFloor("")).toBeNull();
});

it("knows no floor without facts", () => {
  for (const wrong of [null, {}, { sha256 }, { sha256, split: {} }])
    expect(knownFloor(sha256, wrong)).toBeNull();
});
