/** A stack trace of the built program names the lines of its sources. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { readableStack } from "../../../src/cli/shared/readable-stack.ts";
import { MAIN } from "../../support/program.ts";

test("places in the program become places in its sources, others stay", () => {
  const built = readFileSync(MAIN, "utf8").split("\n");
  const source = readFileSync(new URL("../../../src/run/lock.ts", import.meta.url), "utf8").split("\n");
  const words = "function rejectLiving(";
  const [line, sourceLine] = [built, source].map((lines) =>
    lines.findIndex((text) => text.startsWith(words)),
  );
  const column = words.indexOf("rejectLiving");
  const url = pathToFileURL(MAIN).href;
  const frame = (place: string) => `Error: no\n    at rejectLiving (${place})\n    at node:internal/main:1:2`;
  expect(readableStack(frame(`${url}:${line + 1}:${column + 1}`))).toBe(
    frame(`src/run/lock.ts:${sourceLine + 1}:${column + 1}`),
  );
  const unknown = frame("file:///nowhere/cli/main.js:1:2");
  expect(readableStack(unknown)).toBe(unknown);
});
