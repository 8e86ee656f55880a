/**
 * Measures nopeek beside what a person would use instead, on this machine, in turns: `npm run bench -- --help`.
 *
 * Every competitor is a process of its own that waits for its turn (peers/protocol.js). Before anything is timed, its
 * first losses, gradient norms or logits from the same weights and batches must be nopeek's.
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
import { Workshop } from "./tasks.ts";

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

const sizeNames: SizeName[] = ["nanogpt", "medium", "tiny"];

await new Command("npm run bench --")
  .description(
    "Measure nopeek beside PyTorch, jax-js and tfjs, in turns; ratios above 1 say that nopeek is ahead.",
  )
  .addArgument(
    new Argument("[sections...]", "what to measure")
      .choices(Object.keys(SECTIONS))
      .default(Object.keys(SECTIONS)),
  )
  .addOption(
    new Option("--sizes <names>", "models").argParser(someOf(sizeNames)).default(sizeNames, sizeNames.join()),
  )
  .addOption(
    new Option("--threads <counts>", "for whoever can have several")
      .argParser(parseThreads)
      .default([...new Set([1, availableParallelism()])], "1 and the machine's cores"),
  )
  .addOption(new Option("--rounds <count>", "turns of each").argParser(parseCount).default(11))
  .addOption(
    new Option("--peers <names>", 'whom to measure beside nopeek; "none" for nobody')
      .argParser((text) => (text === "none" ? [] : someOf(PEER_NAMES)(text)))
      .default(PEER_NAMES, PEER_NAMES.join()),
  )
  .option("--json <file>", "write every figure to a file")
  .action(bench)
  .parseAsync();

async function bench(sections: readonly string[], flags: Flags): Promise<void> {
  const machine = describeMachine();
  const report = new TerminalReport();
  report.say(formatMachine(machine));
  sayWhoIsMissing(flags.peers, report);
  const workshop = new Workshop();
  const competitors = COMPETITORS.filter(
    ({ peer }) => peer === null || (flags.peers.includes(peer) && whyMissing(peer) === null),
  );
  const { sizes, threads, rounds, json } = flags;
  const plan: Plan = { sizes, threads, rounds, competitors, workshop, report };
  const found: Record<string, readonly object[]> = {};
  const startMs = performance.now();
  try {
    for (const section of sections) found[section] = await SECTIONS[section](plan);
  } catch (error) {
    if (!(error instanceof CompetitorError)) throw error;
    report.reject("a competitor, while it was measured", error.message);
  } finally {
    workshop.clear();
  }
  report.say(`\nTook ${Math.round((performance.now() - startMs) / 1000)} s.`);
  if (json !== undefined) {
    const { leftOut, rejected } = report;
    const results = { machine, sizes: SIZES, threads, rounds, sections: found, leftOut, rejected };
    writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  // A benchmark that times the wrong thing has failed.
  if (report.rejected.length > 0) process.exitCode = 1;
}

function sayWhoIsMissing(peers: readonly PeerName[], report: TerminalReport): void {
  for (const peer of peers) {
    const why = whyMissing(peer);
    if (why !== null) report.leaveOut(peer, why);
  }
}

/** Words between commas, each one of those that there are. */
function someOf<Name extends string>(names: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(",").map((word) => {
      const found = names.find((name) => name === word);
      if (found === undefined) throw new InvalidArgumentError(`There are: ${names.join(", ")}.`);
      return found;
    });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("It must be a whole number ≥ 1.");
  return count;
}

function parseThreads(text: string): number[] {
  return text.split(",").map(parseCount);
}
