/**
 * Benchmarks nopeek against the alternatives on this machine, in alternating turns: `npm run bench -- --help`.
 *
 * Every competitor is a separate process that waits for its turn (peers/protocol.js). Before anything is timed, its
 * first losses, gradient norms or logits, from the same weights and batches, must match nopeek's.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { CompetitorError } from "./child.ts";
import { COMPETITORS, PEER_NAMES, type PeerName, whyMissing } from "./competitors.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import type { Plan } from "./plan.ts";
import { TerminalReport } from "./report.ts";
import { measureProducts } from "./sections/gemm.ts";
import { measureGrowth } from "./sections/growth.ts";
import { measureMemory } from "./sections/memory.ts";
import { measureSampling } from "./sections/sample.ts";
import { measureSteps } from "./sections/step.ts";
import { SIZES, type SizeName } from "./sizes.ts";
import { TaskFiles } from "./tasks.ts";

const SECTIONS: Readonly<Record<string, (plan: Plan) => Promise<readonly object[]>>> = {
  step: measureSteps,
  sample: measureSampling,
  gemm: measureProducts,
  memory: measureMemory,
  growth: measureGrowth,
};

interface Flags {
  readonly sizes: readonly SizeName[];
  readonly threads: readonly number[];
  readonly rounds: number;
  readonly peers: readonly PeerName[];
  readonly json?: string;
}

/** Measured if no others are named; the rest take minutes and gigabytes. */
const defaultSizes: SizeName[] = ["nanogpt", "medium", "tiny"];
const sizeNames: SizeName[] = [...defaultSizes, "large", "gpt2"];

await new Command("npm run bench --")
  .description(
    "Benchmark nopeek against PyTorch, jax-js, tfjs and candle in alternating turns. A ratio above 1 means that nopeek is faster.",
  )
  .addArgument(
    new Argument("[sections...]", "what to measure")
      .choices(Object.keys(SECTIONS))
      .default(Object.keys(SECTIONS)),
  )
  .addOption(
    new Option("--sizes <names>", `models: ${sizeNames.join()}`)
      .argParser(parseNames(sizeNames))
      .default(defaultSizes, defaultSizes.join()),
  )
  .addOption(
    new Option("--threads <counts>", "thread counts, for competitors that support threads")
      .argParser(parseThreads)
      .default([...new Set([1, availableParallelism()])], "1 and the number of cores"),
  )
  .addOption(new Option("--rounds <count>", "turns per competitor").argParser(parseCount).default(11))
  .addOption(
    new Option("--peers <names>", 'competitors to compare with; "none" for nopeek alone')
      .argParser((text) => (text === "none" ? [] : parseNames(PEER_NAMES)(text)))
      .default(PEER_NAMES, PEER_NAMES.join()),
  )
  .option("--json <file>", "write all results to a file")
  .action(bench)
  .parseAsync();

async function bench(sections: readonly string[], flags: Flags): Promise<void> {
  const machine = describeMachine();
  const report = new TerminalReport();
  report.say(formatMachine(machine));
  sayWhoIsMissing(flags.peers, report);
  const taskFiles = new TaskFiles();
  const competitors = COMPETITORS.filter(
    ({ peer }) => peer === null || (flags.peers.includes(peer) && whyMissing(peer) === null),
  );
  const { sizes, threads, rounds, json } = flags;
  const plan: Plan = { sizes, threads, rounds, competitors, taskFiles, report };
  const found: Record<string, readonly object[]> = {};
  const startMs = performance.now();
  try {
    for (const section of sections) found[section] = await SECTIONS[section](plan);
  } catch (error) {
    if (!(error instanceof CompetitorError)) throw error;
    report.reject("a competitor, during measurement", error.message);
  } finally {
    taskFiles.clear();
  }
  report.say(`\nTook ${Math.round((performance.now() - startMs) / 1000)} s.`);
  if (json !== undefined) {
    const { leftOut, rejected } = report;
    const results = { machine, sizes: SIZES, threads, rounds, sections: found, leftOut, rejected };
    writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  // Timing the wrong computation is a failure.
  if (report.rejected.length > 0) process.exitCode = 1;
}

function sayWhoIsMissing(peers: readonly PeerName[], report: TerminalReport): void {
  for (const peer of peers) {
    const why = whyMissing(peer);
    if (why !== null) report.leaveOut(peer, why);
  }
}

/** Comma-separated names, each of which must be in the list. */
function parseNames<Name extends string>(names: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(",").map((word) => {
      const found = names.find((name) => name === word);
      if (found === undefined) throw new InvalidArgumentError(`Allowed: ${names.join(", ")}.`);
      return found;
    });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("Must be an integer ≥ 1.");
  return count;
}

function parseThreads(text: string): number[] {
  return text.split(",").map(parseCount);
}
