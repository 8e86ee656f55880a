/** Docs, comments, messages and test names contain none of the listed phrases. */
import { describe, expect, test } from "vitest";
import { BRITISH, complaintsUnder, findingsIn, TICS } from "./support/prose.ts";

/** Files and folders that people read. */
const SCANNED = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "checkpoints/README.md",
  "docs",
  "scripts",
  "src",
  "test",
];

/** Parts of these that are still being rewritten. To see what is left: npx tsx scripts/prose.ts PATH */
const PENDING: readonly string[] = [];

test.each(SCANNED)("the prose of %s is plain English", (path) => {
  expect(complaintsUnder([path], PENDING)).toEqual([]);
});

describe("negative controls", () => {
  const find = (path: string, text: string) => findingsIn(path, text).map(({ found }) => found);

  test.each([
    "--fast is not to be had here",
    "every strategy heeds the first two rules",
    "the caller is told of each op",
    "The run goes on after a stop.",
    "texts of up to so much, or so many tokens",
    "As many as fit are read.",
    "whoever waits for the lock",
    "nobody listens",
    "The files stand beside the program.",
    "of late",
    "The model learns its text by heart.",
    "the loss on what is held out",
    "a trained model learns on",
    "no word of it is printed",
    "settings in force",
    "the scope sees to it that it is freed",
    "kernel calls that were noted",
    "a folder of its own",
    "null where there is none",
    "where that is so",
    "with the places, if there are such",
    "be it a file or a folder",
    "longer than it ever was",
    "tensors of one kind",
    "what is no number",
    "the first part hands on its result",
    "neighbours of the same colour",
    "a normalised vector",
    "it was learnt",
    "towards zero",
  ])("finds a phrase in: %s", (sentence) => {
    expect(find("docs/x.md", sentence)).not.toEqual([]);
    expect(find("src/x.ts", `/** ${sentence} */`)).not.toEqual([]);
    expect(find("src/x.ts", `throw new Error("${sentence}");`)).not.toEqual([]);
    expect(find("test/x.test.ts", `test("${sentence}", () => {});`)).not.toEqual([]);
    expect(find("scripts/x.py", `"""${sentence}"""`)).not.toEqual([]);
  });

  test.each([
    "The run continues after a stop.",
    "understanding, standard deviations, standalone",
    "D stands for the size of a head",
    "The head cannot tell them apart.",
    "never, forever, every",
    "held-out tokens, of which 10 are left",
    "The weights learned so far",
    "a colorful analysis of the optimizer",
    "The disk is full.",
  ])("accepts: %s", (sentence) => {
    expect(find("docs/x.md", sentence)).toEqual([]);
    expect(find("src/x.ts", `/** ${sentence} */`)).toEqual([]);
  });

  test("finds phrases that are broken over lines, and counts lines", () => {
    expect(
      findingsIn("src/x.ts", "const a = 1;\n/**\n * The run goes\n * on. Files\n * stand here.\n */"),
    ).toEqual([
      expect.objectContaining({ line: 3, found: "goes on" }),
      expect.objectContaining({ line: 5, found: "stand" }),
    ]);
    expect(findingsIn("docs/x.md", "# Title\n\nThe run goes\non.")).toEqual([
      expect.objectContaining({ line: 3 }),
    ]);
  });

  test("ignores code, transcripts, labels of random draws and data of tests", () => {
    expect(find("docs/x.md", "Use `goes on`.\n\n    it goes on\n\n```ts\nnobody();\n```\n")).toEqual([]);
    expect(find("src/x.ts", "const nobody = stand(heeds);")).toEqual([]);
    expect(find("src/x.ts", 'Random.of(seed, "what nobody heeds", step)')).toEqual([]);
    expect(find("src/x.ts", 'const name = "staircase";')).toEqual([]);
    expect(find("scripts/mutants/x.ts", 'line: "if (a) goes on (b)",')).toEqual([]);
    expect(find("test/x.test.ts", 'const text = "The tale goes on.";')).toEqual([]);
    expect(find("src/x.ts", "const quote = /[\"']/; // plain\nconst s = 'plain';")).toEqual([]);
  });

  test("finds a doc comment that begins with Gives, and no other use of the word", () => {
    expect(find("src/x.ts", "/** Gives the exit code. */")).toEqual(["Gives"]);
    expect(find("src/x.ts", "/** The same seed gives the same bits. */")).toEqual([]);
  });

  test("every rule has a replacement, and no two are the same", () => {
    const rules = [...TICS, ...BRITISH];
    expect(rules.every(([pattern, instead]) => pattern !== "" && instead !== "")).toBe(true);
    expect(new Set(rules.map(([pattern]) => pattern)).size).toBe(rules.length);
  });
});
