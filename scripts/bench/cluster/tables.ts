/** The tables of docs/cluster.md, from the model in step-time.ts and the speeds that were measured. */
import { formatCount } from "../../../src/util/format.ts";
import { type Cluster, exchangeMs, stepMs } from "./step-time.ts";

/** Measured with Open MPI 4.1 on two cores of an AMD EPYC (Zen 5). Plain sockets get 944 of 1,000 Mbit/s. */
export function clusterOf(gigabits: number): Cluster {
  return { megabitsPerSecond: 944 * gigabits, roundTripMs: 0.1, byteNs: 1.5, messageUs: 20, numberNs: 1 };
}

const GIGABITS = [1, 10, 25];
const RANKS = [2, 8, 64, 1024];
const MODELS = [
  { title: "0.4 million (tales)", parameters: 400_000 },
  { title: "10 million", parameters: 10_000_000 },
  { title: "100 million", parameters: 100_000_000 },
];

/** By how much a step is longer than its parts. */
export function exchangeTable(): string {
  const rows = MODELS.flatMap(({ title, parameters }) =>
    RANKS.map((ranks) => [
      title,
      formatCount(ranks),
      ...GIGABITS.map((gigabits) => formatMs(exchangeMs(parameters, ranks, clusterOf(gigabits)))),
    ]),
  );
  return markdown(["parameters", "processes", ...GIGABITS.map((gigabits) => `${gigabits} Gbit/s`)], rows);
}

/** How many times as fast a step is on R processes as on one: 6 layers × 384 channels, 1,024 parts of 4 × 256 tokens. */
export function speedupTable(): string {
  // One part on one thread: docs/benchmarks.md.
  const [parameters, partsMs] = [10_700_000, 1024 * 760];
  const rows = RANKS.map((ranks) => [
    formatCount(ranks),
    ...GIGABITS.map((gigabits) =>
      (partsMs / stepMs(partsMs, parameters, ranks, clusterOf(gigabits))).toPrecision(3),
    ),
  ]);
  return markdown(["processes", ...GIGABITS.map((gigabits) => `${gigabits} Gbit/s`)], rows);
}

function formatMs(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms >= 10 ? 0 : 1)} ms`;
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")).replaceAll(" ", ""), ...rows.map(line)].join("\n");
}
