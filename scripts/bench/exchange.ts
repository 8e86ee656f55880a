/**
 * Measures the exchange of gradients between processes, as each step makes it (docs/cluster.md has a formula from it).
 *
 *   mpirun -n 2 npx tsx scripts/bench/exchange.ts [ROUNDS]
 */
import { openBackend } from "../../src/backend/open.ts";
import { launchOf, prepareForMpi } from "../../src/cli/shared/processes/launcher.ts";
import { MpiCommunicator } from "../../src/distributed/mpi-communicator.ts";
import { sumAcrossRanks } from "../../src/distributed/sum-across-ranks.ts";
import { smallestOf } from "../../src/util/extremes.ts";
import { median } from "../../src/util/format.ts";

const PARAMETERS = [400_000, 1_000_000, 4_250_000, 12_500_000];

/** What each process sends to the others in that time, and receives from them. */
const megabits = (parameters: number, ms: number) => (8 * 8 * parameters * (size - 1)) / size / (1000 * ms);

const rounds = Number(process.argv[2] ?? 15);
const launch = launchOf(process.env);
if (launch === null) throw new Error("start it with mpirun -n 2 npx tsx scripts/bench/exchange.ts");
prepareForMpi(process.env);
const communicator = await MpiCommunicator.open(launch.libraries, launch.processes);
const backend = await openBackend("wasm", 1);
const { rank, size, title } = communicator;
for (const parameters of PARAMETERS) {
  const gradient = backend.alloc(parameters);
  backend.view(gradient).fill(1);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    await sumAcrossRanks(communicator, backend, [gradient]);
    times.push(performance.now() - startMs);
  }
  backend.free(gradient);
  if (rank > 0) continue;
  // Other programs of the machine only make it slower.
  const least = smallestOf(times);
  process.stdout.write(
    `${title}, ${size} processes, ${(parameters / 1e6).toFixed(1)} million parameters: least ${least.toFixed(1)} ms and median ${median(times).toFixed(1)} ms of ${rounds}; ${((1e6 * least) / parameters).toFixed(1)} ns a parameter, ${megabits(parameters, least).toFixed(0)} Mbit/s each way\n`,
  );
}
await backend.close();
communicator.close();
