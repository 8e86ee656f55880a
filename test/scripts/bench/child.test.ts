import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as z from "zod";
import { Child, CompetitorError } from "../../../scripts/bench/child.ts";

const protocol = fileURLToPath(new URL("../../../scripts/bench/peers/protocol.js", import.meta.url));
const sumLayout = z.object({ sum: z.number() });

/** A competitor that adds numbers, fails on request, and prints to stdout. */
const program = {
  file: process.execPath,
  arguments: [
    "--input-type=module",
    "--eval",
    `import { serve } from ${JSON.stringify(protocol)};
     console.log("a banner of a library");
     await serve({
       sums: async ({ start }) => {
         if (start < 0) throw new Error("starts below 0");
         console.log("chatter");
         return {
           version: "7",
           actions: {
             add: ({ to }) => ({ sum: start + to }),
             fail: () => { throw new Error("no\\nand why"); },
             leave: () => { console.error("the last words"); process.exit(1); },
           },
         };
       },
     });`,
  ],
};

test("a competitor answers requests and survives its own errors", async () => {
  const child = await Child.start(program, { kind: "sums", start: 5 });
  expect(child.version).toBe("7");
  expect(child.idleBytes).toBeGreaterThan(2 ** 20);
  expect(await child.ask("add", { to: 6 }, sumLayout)).toEqual({ sum: 11 });
  await expect(child.ask("fail", {}, sumLayout)).rejects.toThrow(/^no$/);
  expect(await child.ask("add", { to: 8 }, sumLayout)).toEqual({ sum: 13 });
  expect(await child.peakBytes()).toBeGreaterThanOrEqual(child.idleBytes);
  child.stop();
});

test("reports why a competitor cannot start or has died", async () => {
  await expect(Child.start(program, { kind: "sums", start: -1 })).rejects.toThrow("starts below 0");
  await expect(Child.start(program, { kind: "other" })).rejects.toThrow('unknown task "other"');
  await expect(Child.start({ file: "no-such-program", arguments: [] }, {})).rejects.toThrow(CompetitorError);
  const child = await Child.start(program, { kind: "sums", start: 1 });
  await expect(child.ask("leave", {}, sumLayout)).rejects.toThrow("the last words");
});
