/**
 * Measures the exchange of gradients between processes, as each step makes it. cluster/step-time.ts predicts it.
 *
 *   mpirun -n 2 npx tsx scripts/bench/exchange.ts [--turns 15] [--most NUMBERS] [PARAMETERS…]
 *
 * `--most` is the number of numbers that are sent at a time.
 */
import { parseArgs } from "node:util";
import { openBackend } from "../../src/backend/open.ts";
import { launchOf, prepareForMpi } from "../../src/cli/shared/processes/launcher.ts";
import { MpiCommunicator } from "../../src/distributed/mpi-communicator.ts";
import { sumAcrossRanks } from "../../src/distributed/sum-across-ranks.ts";
import { smallestOf } from "../../src/util/extremes.ts";
import { formatCount, median } from "../../src/util/format.ts";

const PARAMETERS = [400_000, 1_000_000, 4_250_000, 12_500_000];
const { values, positionals } = parseArgs({
  options: { turns: { type: "string", default: "15" }, most: { type: "string" } },
  allowPositionals: true,
});
const turns = Number(values.turns);
const most = values.most === undefined ? undefined : Number(values.most);
const sizes = positionals.length > 0 ? positionals.map(Number) : PARAMETERS;

/** What each process sends to the others in that time, and receives from them. */
const megabits = (parameters: number, ms: number) => (8 * 8 * parameters * (size - 1)) / size / (1000 * ms);

const launch = launchOf(process.env);
if (launch === null) throw new Error("start it with mpirun -n 2 npx tsx scripts/bench/exchange.ts");
prepareForMpi(process.env);
const communicator = await MpiCommunicator.open(launch.libraries, launch.processes);
const backend = await openBackend("wasm", 1);
const { rank, size, title } = communicator;
for (const parameters of sizes) {
  const gradient = backend.alloc(parameters);
  backend.view(gradient).fill(1);
  const times: number[] = [];
  const computed: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const startMs = performance.now();
    const start = process.cpuUsage();
    await sumAcrossRanks(communicator, backend, [gradient], most);
    times.push(performance.now() - startMs);
    const { user, system } = process.cpuUsage(start);
    computed.push((user + system) / 1000);
  }
  backend.free(gradient);
  if (rank > 0) continue;
  // Other programs of the machine only make it slower.
  const least = smallestOf(times);
  process.stdout.write(
    `${title}, ${size} processes, ${formatCount(parameters)} parameters: least ${least.toFixed(1)} ms and median ${median(times).toFixed(1)} ms of ${turns}, ${smallestOf(computed).toFixed(1)} ms of this process's CPU time; ${((1e6 * least) / parameters).toFixed(1)} ns a parameter, ${megabits(parameters, least).toFixed(0)} Mbit/s each way\n`,
  );
}
await backend.close();
communicator.close();
