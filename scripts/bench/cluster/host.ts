/**
 * Measures what a process computes in an exchange of gradients: it copies numbers into messages and back, and adds a
 * block from every process. Messages arrive at once, so this is the part of the model in step-time.ts that needs no
 * network.
 *
 *   npx tsx scripts/bench/cluster/host.ts [MILLIONS] [TURNS]
 */
import { openBackend } from "../../../src/backend/open.ts";
import type { Communicator } from "../../../src/distributed/communicator.ts";
import { roundsFor, sumAcrossRanks } from "../../../src/distributed/sum-across-ranks.ts";
import { smallestOf } from "../../../src/util/extremes.ts";
import { formatTable } from "../table.ts";

const RANKS = [2, 4, 8, 16, 64, 256, 1024];

const [millions = 12.5, turns = 5] = process.argv.slice(2).map(Number);
const parameters = millions * 1e6;

const rows = [];
for (const ranks of RANKS) {
  // A new memory for each: the peak of one must not serve the next.
  const backend = await openBackend("wasm", 1);
  const gradient = backend.alloc(parameters);
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const startMs = performance.now();
    await sumAcrossRanks(alone(ranks), backend, [gradient]);
    times.push(performance.now() - startMs);
  }
  await backend.close();
  const { rounds, slice } = roundsFor(Math.ceil(parameters / ranks), ranks);
  const ns = (1e6 * smallestOf(times)) / parameters;
  rows.push([String(ranks), String(rounds), String(slice), ns.toFixed(2)]);
}
process.stdout.write(`${formatTable(["processes", "rounds", "numbers a message", "ns a number"], rows)}\n`);

/** Rank 0 of several, whose messages are sent and received in no time. */
function alone(size: number): Communicator {
  return {
    ...{ rank: 0, size },
    exchange: async () => {},
    gather: async () => {},
    broadcast: async () => {},
    abort: () => {},
    close: () => {},
  };
}
