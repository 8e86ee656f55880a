/** `nopeek train` with documents drawn for validation, or a separate text: training, resuming and evaluating agree. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere } from "../../../support/in-process.ts";
import { expectComplaint, makeFolder, START_MS } from "../../../support/program.ts";
import { fingerprint, latestStep } from "../../../support/run-files.ts";

const folder = makeFolder();
const SMALL = ["--preset", "tiny", "--d-model", 8, "--context-length", 6, "--batch-size", 3, "--no-samples"];
const FLAGS = ["--quiet", "--checkpoint-interval", 5, "--steps", 10];
const train = (...words: (string | number)[]) => nopeekHere(folder, "train", ...SMALL, ...FLAGS, ...words);
const NAMES = Array.from(
  { length: 90 },
  (_, i) => `${"abcdefghij"[Math.floor(i / 9)]}${"xyz"[i % 3].repeat(1 + (i % 4))}`,
);

beforeAll(() => {
  writeFileSync(join(folder, "names.txt"), `${NAMES.join("\n")}\n`);
  writeFileSync(join(folder, "other.txt"), `${NAMES.slice(0, 20).toReversed().join("\n")}\n`);
});

describe.each([
  ["shuffle", ["--documents", "lines", "--split", "shuffle"]],
  ["validation", ["--validation", "other.txt"]],
  ["shuffle-cached", ["--documents", "lines", "--split", "shuffle", "--in-memory", 0]],
  ["validation-cached", ["--validation", "other.txt", "--in-memory", 0]],
])("with %s", (name, flags) => {
  it(
    "a run resumes to the same bits, repeats from its config, and is evaluated as during training",
    async () => {
      const whole = await train("--data", "names.txt", ...flags, "--out", name);
      expect(whole.code, whole.stderr).toBe(0);
      expect(whole.stderr).toContain(
        name.startsWith("shuffle") ? "of a tenth of the documents" : "of other.txt for validation",
      );
      await train("--data", "names.txt", ...flags, "--out", `${name}-half`);
      writeFileSync(join(folder, `${name}-half`, "latest"), "step-000005");
      const resumed = await nopeekHere(folder, "train", "--resume", "--out", `${name}-half`, "--quiet");
      expect(resumed.code, resumed.stderr).toBe(0);
      await nopeekHere(
        folder,
        "train",
        "--config",
        `${name}/config.json`,
        "--out",
        `${name}-again`,
        "--quiet",
      );
      const weights = (run: string) => fingerprint(join(latestStep(join(folder, run))));
      expect(weights(`${name}-half`)).toBe(weights(name));
      expect(readFileSync(join(folder, `${name}-again`, "config.json"), "utf8")).toBe(
        readFileSync(join(folder, name, "config.json"), "utf8"),
      );
      expect(weights(`${name}-again`)).toBe(weights(name));

      const [, loss] = Array.from(whole.stderr.matchAll(/validation loss (\d\.\d+) nats/g)).at(-1) ?? [];
      const evaluated = await nopeekHere(folder, "eval", "--model", name, "--data", "names.txt");
      expect(evaluated.stdout, evaluated.stderr).toContain(`loss ${loss} nats per token`);
    },
    START_MS,
  );
});

it("a changed validation text is refused on resume, and a missing one is named", async () => {
  const again = () => nopeekHere(folder, "train", "--resume", "--out", "own", "--steps", 12, "--quiet");
  writeFileSync(join(folder, "own.txt"), "axay\nbxby\nczcz\n");
  expect((await train("--data", "names.txt", "--validation", "own.txt", "--out", "own")).code).toBe(0);
  writeFileSync(join(folder, "own.txt"), "axay\nbxby\nczcx\n");
  expectComplaint(await again(), 2, "is not the text that this run was started on");
  rmSync(join(folder, "own.txt"));
  expectComplaint(await again(), 1, "own.txt", "no such file");
});

it.each<[string, (string | number)[]]>([
  ["--split shuffle chooses documents: set --documents", ["--data", "names.txt", "--split", "shuffle"]],
  [
    "both choose what to validate with",
    ["--data", "names.txt", "--documents", "lines", "--split", "shuffle", "--validation", "other.txt"],
  ],
  ["got --validation other.txt", ["--model", "seq2seq", "--validation", "other.txt"]],
])("is checked: %s", async (message, flags) => {
  const words = flags.includes("seq2seq") ? [] : SMALL;
  expectComplaint(await nopeekHere(folder, "train", ...words, ...flags), 2, message);
});

it("warns about a sorted list, and names the cure that ends the warning", async () => {
  const letters = Array.from("abcdefghijklmnopqrstuvwxyz");
  const sorted = letters.flatMap((letter) => letters.map((second) => `${letter}${second}${letter}anna`));
  writeFileSync(join(folder, "sorted.txt"), `${sorted.join("\n")}\n`);
  const warned = await train("--data", "sorted.txt", "--out", "sorted");
  expect(warned.stderr).toContain("the validation part is unlike the rest");
  const [, cure = ""] = /use (--documents lines --split shuffle)$/m.exec(warned.stderr) ?? [];
  const cured = await train("--data", "sorted.txt", ...cure.split(" "), "--out", "cured");
  expect(cured.code, cured.stderr).toBe(0);
  expect(cured.stderr).not.toContain("unlike");
});
