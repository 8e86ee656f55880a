/** Which part of a line is emphasized. */
import { stripVTControlCharacters as strip } from "node:util";
import { expect, test } from "vitest";
import { emphasize } from "../../../src/cli/terminal/emphasis.ts";
import { renderSpans } from "../../../src/cli/terminal/styled.ts";

const ESCAPE = "\x1b[";
const [BOLD, YELLOW, CYAN] = [1, 33, 36].map((code) => `${ESCAPE}${code}m`);

test.each([
  ["model       2 layers, 4 heads", BOLD, "model"],
  ["saved in    checkpoints/my-1", BOLD, "saved in"],
  ["warning     so little text", YELLOW, "warning"],
  ["step 1,250: validation loss about 0.8123 (estimate)", BOLD, "0.8123"],
  ["validation loss 0.5776 nats", BOLD, "0.5776"],
  ["next:", BOLD, "next:"],
  ["  npx nopeek eval --model x", CYAN, "npx nopeek eval --model x"],
])("%s", (line, on, part) => {
  const shown = renderSpans(emphasize(line), true);
  expect(strip(shown)).toBe(line);
  expect(shown.split(on)[1]?.split(ESCAPE)[0]).toBe(part);
  expect(shown.split(ESCAPE)).toHaveLength(3);
  expect(renderSpans(emphasize(line), false)).toBe(line);
});

test.each(["", "saving step 7 …", "            continued here", "Once upon a time"])(
  "%j stays plain",
  (line) => {
    expect(renderSpans(emphasize(line), true)).toBe(line);
  },
);
