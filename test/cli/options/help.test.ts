import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PRESETS } from "../../../src/config/presets.ts";
import { flagOf, SETTINGS } from "../../../src/config/settings.ts";
import { makeFolder, nopeek, succeed } from "../../support/program.ts";

const folder = makeFolder();
const COMMON = ["--json", "--help"];
/** Flags of commands that run a model. */
const COMPUTING = ["--backend", "--threads"];
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  train: ["--data", "--preset", "--out", "--resume", ...SETTINGS.map(({ name }) => `--${flagOf(name)}`)],
  sample: ["--model", "--prompt", "--tokens", "--strategy", "--temperature", "--top-k", "--top-p"].concat(
    ...["--min-p", "--repetition-penalty", "--no-repeat-ngram", "--stop", "--samples", "--beams", "--best"],
    ...["--length-penalty", "--explain", "--overflow", "--seed"],
  ),
  eval: ["--model", "--data", "--split"],
  logits: ["--model", "--prompt", "--cached"],
  ablate: ["--data", "--preset", "--vary", "--seeds", "--holdout", "--results", "--layers", "--positions"],
  plot: ["--svg", "--html", "--x", "--log", "--smooth"],
  bench: ["--preset", "--rounds", "--layers", "--d-model", "--context-length", "--batch-size"],
};

/** The description of each flag in the help, with its lines joined. */
function explanations(help: string): Map<string, string> {
  const entries = help
    .split(/\n(?= {2}-)/)
    .map((entry) => entry.split(/\n\n/)[0].replace(/\s+/g, " ").trim());
  return new Map(entries.map((entry) => [/--[a-z][a-z0-9-]*/.exec(entry)?.[0] ?? "", entry]));
}

describe("--help", () => {
  it.each(Object.keys(FLAGS))(
    "of %s lists every flag with its meaning and default in 80 columns",
    async (command) => {
      const { stdout, stderr } = await succeed(folder, command, "--help");
      expect(stderr).toBe("");
      expect(stdout).toContain(`Usage: nopeek ${command}`);
      for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
      const explained = explanations(stdout);
      const all = [...FLAGS[command], ...COMMON, ...(command === "plot" ? [] : COMPUTING)];
      for (const flag of all) {
        const words = explained.get(flag)?.replace(/^(-h, )?--\S+( <\w+>)?/, "");
        expect(words?.trim().length, `${flag}: ${words}`).toBeGreaterThan(5);
      }
      // The documented order of the rules is the actual one.
      if (command === "sample") {
        const order = /in this order:([^.]*)\./.exec(stdout)?.[1].match(/--[a-z-]+/g);
        expect(order?.map((flag) => flag.slice(2).replaceAll("-", " "))).toEqual([
          "repetition penalty",
          "no repeat ngram",
          "temperature",
          "top k",
          "top p",
          "min p",
        ]);
      }
      if (command !== "train") return;
      for (const { name, default: value, kind } of SETTINGS) {
        const shown = kind === "switch" ? (value ? "on" : "off") : value;
        expect(explained.get(`--${flagOf(name)}`)).toContain(`default: ${shown}`);
      }
      for (const [name, { settings }] of Object.entries(PRESETS)) {
        expect(stdout).toContain(`\n  ${name}\n`);
        expect(stdout).toContain(`--learning-rate ${settings.learningRate ?? ""}`);
      }
    },
  );

  it("of the program lists every command, and a missing command is bad usage", async () => {
    const { stdout } = await succeed(folder, "--help");
    for (const command of Object.keys(FLAGS))
      expect(stdout).toMatch(new RegExp(`^ {2}${command} \\[options\\] `, "m"));
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(await nopeek(folder)).toMatchObject({ code: 2, stdout: "", stderr: stdout });
  });

  it("--version prints the package version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
    expect((await succeed(folder, "--version")).stdout).toBe(`${version}\n`);
  });
});
