/** Runs with a pipe, a device, a folder or an endless file in place of a file: every command ends. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { nopeekHere, succeedHere } from "../support/in-process.ts";
import { makeFolderWithText, START_MS, TRAIN } from "../support/program.ts";

const { folder, at } = makeFolderWithText(300);
const model = "step-000004/model.safetensors";

beforeAll(async () => {
  const flags = ["--steps", 4, "--checkpoint-interval", 2, "--eval-batches", 1];
  await succeedHere(folder, ...TRAIN, "--out", "run", ...flags);
}, START_MS);

describe.skipIf(process.platform === "win32")("a run whose files are none", () => {
  const FILES = ["config.json", "latest", "best", "log.jsonl", model, "step-000004/state.json"];
  const REPLACEMENTS: readonly (readonly [what: string, put: (file: string) => void])[] = [
    ["a pipe", (file) => execFileSync("mkfifo", [file])],
    ["a link to an endless device", (file) => symlinkSync("/dev/zero", file)],
    ["a folder", (file) => mkdirSync(file)],
    [
      "a file of four gigabytes, almost all of them holes",
      (file) => {
        writeFileSync(file, "{}\n");
        truncateSync(file, 2 ** 32);
      },
    ],
  ];
  // A resumed run writes its own `best`, in place of the old one.
  const COMMANDS: readonly (readonly [words: (string | number)[], needs: readonly string[]])[] = [
    [
      ["sample", "--model", "copy", "--tokens", 2],
      ["config.json", "best", model, "step-000004/state.json"],
    ],
    [
      ["runs", "copy"],
      ["config.json", "latest", "log.jsonl"],
    ],
    [
      ["plot", "copy"],
      ["config.json", "latest", "log.jsonl"],
    ],
    [
      ["train", "--resume", "--out", "copy", "--steps", 6, "--threads", 1],
      FILES.filter((file) => file !== "best"),
    ],
  ];

  it.each(REPLACEMENTS)("%s: every command ends, and reports a file that it needs", async (what, put) => {
    // A log may have any size: it is read in parts.
    for (const file of FILES.filter((file) => file !== "log.jsonl" || !what.startsWith("a file"))) {
      for (const [words, needs] of COMMANDS) {
        const copy = at("copy");
        cpSync(at("run"), copy, { recursive: true });
        rmSync(join(copy, file));
        put(join(copy, file));
        try {
          const { code, stdout, stderr } = await nopeekHere(folder, ...words);
          const shown = `${what} for ${file}: ${words.join(" ")}: ${code} ${stdout} ${stderr}`;
          expect(stderr, shown).not.toMatch(/^\s+at /m);
          if (needs.includes(file)) expect(code !== 0 || stdout.includes("damaged: "), shown).toBe(true);
        } finally {
          rmSync(copy, { recursive: true });
        }
      }
    }
  });
});
