import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { lookAtInput } from "../../../src/cli/shared/piped-text.ts";

const LONG_MS = 60_000;

function kind(name: "file" | "pipe" | "socket" | "device", size = 0) {
  return {
    isFile: () => name === "file",
    isFIFO: () => name === "pipe",
    isSocket: () => name === "socket",
    size,
  };
}

const never = () => {
  throw new Error("the stream must not be opened");
};

describe("without opening it", () => {
  test.each([
    ["a closed descriptor", null, "nothing"],
    ["a terminal or /dev/null", kind("device"), "nothing"],
    ["an empty file", kind("file"), "nothing"],
    ["a file", kind("file", 5), "text"],
  ])("%s", async (_what, stats, expected) => {
    expect(await lookAtInput(stats, never, 0)).toBe(expected);
  });
});

describe.each(["pipe", "socket"] as const)("a %s", (name) => {
  test("with data is a text, of which nothing is lost", async () => {
    const stream = new PassThrough();
    setTimeout(() => stream.end("two"), 20);
    stream.write("one ");
    expect(await lookAtInput(kind(name), () => stream, LONG_MS)).toBe("text");
    let text = "";
    for await (const chunk of stream) text += chunk;
    expect(text).toBe("one two");
  });

  test("that is closed at once is nothing", async () => {
    const stream = new PassThrough();
    stream.end();
    expect(await lookAtInput(kind(name), () => stream, LONG_MS)).toBe("nothing");
  });

  test("that stays open and empty is silence, and is given up", async () => {
    const stream = new PassThrough();
    expect(await lookAtInput(kind(name), () => stream, 5)).toBe("silence");
    expect(stream.destroyed).toBe(true);
  });

  test("that fails is nothing", async () => {
    const stream = new PassThrough();
    setTimeout(() => stream.destroy(new Error("gone")), 5);
    expect(await lookAtInput(kind(name), () => stream, LONG_MS)).toBe("nothing");
  });
});
