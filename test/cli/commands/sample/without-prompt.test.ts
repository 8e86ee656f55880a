/** `nopeek sample` without a prompt, for models of texts of every shape. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nopeekHere } from "../../../support/in-process.ts";
import { makeFolder } from "../../../support/program.ts";

const folder = makeFolder();
const SMALL = ["--preset", "tiny", "--d-model", 8, "--context-length", 7, "--batch-size", 2, "--no-samples"];

const TEXTS: readonly [name: string, text: string, begins: string][] = [
  ["carriage returns", "one\rtwo\rthree\r".repeat(12), ""],
  ["one letter", "a".repeat(150), "a"],
  ["unbroken Chinese", "天地玄黃宇宙洪荒日月盈昃辰宿列張".repeat(12), "天"],
  ["names joined by commas", "emma,olivia,ava,".repeat(12), "e"],
  ["lines", "emma\nolivia\n".repeat(14), ""],
];

describe.each(["char", "byte"])("a model of %s tokens", (tokenizer) => {
  it.each(TEXTS)(
    "of %s writes without a prompt, from a boundary of its text on",
    async (_name, text, begins) => {
      writeFileSync(join(folder, "text.txt"), text);
      const run = `${tokenizer}-${_name.replaceAll(" ", "-")}`;
      const trained = ["--data", "text.txt", "--out", run, "--tokenizer", tokenizer, "--steps", 3];
      expect(await nopeekHere(folder, "train", ...SMALL, ...trained)).toMatchObject({ code: 0 });

      const one = await nopeekHere(folder, "sample", "--model", run, "--tokens", 9);
      expect(one.code).toBe(0);
      expect(one.stderr).toMatch(/^model [\w-]+: its best step, 3\n$/);
      expect(one.stdout.startsWith(begins), one.stdout).toBe(true);
      const three = await nopeekHere(
        folder,
        "sample",
        "--model",
        run,
        "--tokens",
        9,
        "--samples",
        3,
        "--json",
      );
      expect(three.code).toBe(0);
      const [{ prompt, text: rest }] = three.stdout.split("\n", 1).map((line) => JSON.parse(line));
      expect(one.stdout).toBe(`${begins}${rest}\n`);
      expect(text.includes(prompt)).toBe(true);
      const beam = await nopeekHere(folder, "sample", "--model", run, "--tokens", 4, "--strategy", "beam");
      expect(beam.code, beam.stderr).toBe(0);
    },
  );
});
