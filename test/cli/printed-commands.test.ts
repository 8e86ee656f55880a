/** Every command that nopeek prints runs as it is when it is pasted, and a longer run is no worse. */
import { beforeAll, describe, expect, it } from "vitest";
import { PlottedLog } from "../../src/cli/commands/plot/plotted-log.ts";
import { blankedPromptIn, promptIn } from "../../src/cli/shared/example-prompt.ts";
import { RunDirectory } from "../../src/run/on-disk.ts";
import { nopeekHere } from "../support/in-process.ts";
import { makeFolderWithText, START_MS, TRAIN } from "../support/program.ts";
import { resealState } from "../support/run-files.ts";

const { folder, at } = makeFolderWithText(300);
const here = (...words: readonly (string | number)[]) => nopeekHere(folder, ...words);

/** The words of each printed command, as a shell splits them. */
function commandsIn(printed: string): string[][] {
  return printed.split("\n").flatMap((line) => {
    const [, command] = /npx nopeek (.*)$/.exec(line) ?? [];
    if (command === undefined) return [];
    const words = command.replace(/\s+#.*$/, "").match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? [];
    return [words.map((word) => word.replace(/'([^']*)'|\\(.)/g, "$1$2"))];
  });
}

/** The commands below "next:". */
function suggestedIn(printed: string): string[] {
  return commandsIn(printed.slice(printed.indexOf("next:"))).map(([tool]) => tool);
}

const KINDS = {
  gpt: [...TRAIN, "--checkpoint-interval", 10],
  bytes: [...TRAIN, "--tokenizer", "byte"],
  encoder: [...TRAIN, "--model", "encoder"],
  seq2seq: ["train", "--model", "seq2seq", "--layers", 1, "--heads", 2, "--d-model", 6, "--batch-size", 3],
  "a run of a name to quote": [...TRAIN],
} as const;
const outOf = (name: string) => `checkpoints/${name.startsWith("a run") ? "it's mine" : name}`;

const printed = new Map<string, string>();
beforeAll(async () => {
  for (const [name, words] of Object.entries(KINDS)) {
    const flags = ["--steps", 20, "--threads", 1, "--quiet", "--warmup-steps", 2, "--learning-rate", 0.01];
    const { stderr, code } = await here(...words, ...flags, "--out", outOf(name));
    expect(code, stderr).toBe(0);
    printed.set(name, stderr);
  }
}, START_MS);

function bestLossOf(run: string): number {
  const log = new PlottedLog();
  const directory = RunDirectory.open(at(run));
  for (const entry of directory.logEntries()) log.add(entry);
  const best = Number(directory.best()?.slice("step-".length));
  return log.validation().find(([step]) => step === best)?.[2] ?? Number.NaN;
}

describe.each(Object.keys(KINDS))("after training %s", (name) => {
  it("each command runs, and more steps make the model better", async () => {
    const commands = commandsIn(printed.get(name) ?? "");
    const tools = commands.map(([tool]) => tool);
    expect(tools).toEqual(expect.arrayContaining(["sample", "eval", "verify"]));
    expect(printed.get(name)).not.toContain('…"');
    for (const words of commands) {
      const before = bestLossOf(outOf(name));
      const quick =
        words[0] === "train"
          ? ["--threads", 1, "--quiet"]
          : words[0] === "sample" && name !== "encoder" && name !== "seq2seq"
            ? ["--tokens", 3]
            : [];
      const { code, stderr } = await here(...words, ...quick);
      expect(code, `${words.join(" ")}: ${stderr}`).toBe(0);
      expect(bestLossOf(outOf(name))).toBeLessThanOrEqual(before);
    }
  });

  it("the commands of a report run", async () => {
    const { stdout } = await here("plot", outOf(name), "--json");
    const next: readonly { command: string }[] = JSON.parse(stdout).next;
    expect(next.length).toBeGreaterThan(0);
    for (const words of commandsIn(next.map(({ command }) => command).join("\n"))) {
      const { code, stderr } = await here(
        ...words,
        ...(words[0] === "train" ? ["--threads", 1, "--quiet"] : []),
      );
      expect(code, `${words.join(" ")}: ${stderr}`).toBe(0);
    }
  });
});

it("no longer run is suggested if the last weights are not the best, or the learning rate has ended at 0", async () => {
  const flags = ["--steps", 20, "--quiet", "--warmup-steps", 0, "--checkpoint-interval", 1];
  await here(...TRAIN, ...flags, "--out", "worse");
  // As if the steps so far had been luckier than those that follow.
  resealState(at("worse"), ({ state }) => Object.assign(Object(state.best), { validationNats: 0.001 }));
  const worse = await here("train", "--resume", "--out", "worse", "--steps", 24, "--threads", 1, "--quiet");
  expect(suggestedIn(worse.stderr)).toEqual(["sample", "eval", "verify"]);
  const ended = await here(...TRAIN, ...flags, "--min-learning-rate", 0, "--out", "ended");
  expect(suggestedIn(ended.stderr)).toEqual(["sample", "eval", "verify"]);
});

describe("a prompt from a text", () => {
  it.each([
    ["—\nOne misty Sunday in Ashford", 40, "One misty Sunday", "One misty Sunda_"],
    ["fn main() {", 40, "fn main", "fn mai_"],
    ["One misty Sunday", 9, "One misty", "One mist_"],
    ["日本語の文章", 40, "日本語の文章", "日本語の文_"],
    ["\n\t --- '\"$`\\ \u0000", 40, null, "_"],
    ["abcdefghijklm", 5, null, "_"],
  ])("%j", (text, most, prompt, blanked) => {
    expect([promptIn(text, most), blankedPromptIn(text, most)]).toEqual([prompt, blanked]);
  });
});
