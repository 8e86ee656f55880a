/** The engine leaves a core to the page, and an address can ask for something else. */
import { expect, test } from "vitest";
import { wantedBackend } from "../../../src/play/engine/open-backend.ts";

test.each([
  [1, 1],
  [2, 1],
  [4, 3],
  [8, 4],
  [128, 4],
])("on %i cores, %i threads", (cores, threads) => {
  expect(wantedBackend("", cores)).toEqual({ name: "wasm", threads });
});

test.each([
  ["?backend=reference", { name: "reference", threads: 3 }],
  ["?threads=2", { name: "wasm", threads: 2 }],
  ["?threads=0", { name: "wasm", threads: 3 }],
  ["?threads=1.5", { name: "wasm", threads: 3 }],
  ["?threads=1e9", { name: "wasm", threads: 3 }],
  ["?threads=many&backend=cuda", { name: "wasm", threads: 3 }],
])("%s", (query, expected) => {
  expect(wantedBackend(query, 4)).toEqual(expected);
});
