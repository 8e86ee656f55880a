/** Peak memory of training, each competitor in a separate process. */
import { competitorsFor, type Plan } from "../plan.ts";
import { formatSize, SIZES, type SizeName } from "../sizes.ts";
import { formatBytes, formatRatio, formatTable } from "../table.ts";
import { messageOf, startTraining } from "../training.ts";

export interface MemoryRow {
  readonly size: SizeName;
  readonly competitor: string;
  readonly version: string;
  readonly threads: number;
  /** With the library loaded and no model created. */
  readonly idleBytes: number;
  readonly peakBytes: number;
}

/** tfjs and jax-js would take minutes for a figure of little interest. */
const LEFT_OUT = ["jax", "tfjs"];

export async function measureMemory(plan: Plan): Promise<MemoryRow[]> {
  const { report } = plan;
  const threads = Math.max(...plan.threads);
  const competitors = competitorsFor(plan, "training").filter(({ peer }) => !LEFT_OUT.includes(peer ?? ""));
  const rows: MemoryRow[] = [];
  for (const size of plan.sizes) {
    report.say(`\nPeak memory of training, ${size}: ${formatSize(SIZES[size])}`);
    const task = await plan.taskFiles.task(SIZES[size]);
    const own: MemoryRow[] = [];
    for (const competitor of competitors) {
      try {
        // By now it has run its first steps, which need every buffer that a step needs.
        const { child } = await startTraining(competitor, threads, task);
        const peakBytes = await child.peakBytes();
        const [{ name }, { version, idleBytes }] = [competitor, child];
        own.push({ size, competitor: name, version, threads, idleBytes, peakBytes });
        child.stop();
      } catch (error) {
        report.leaveOut(competitor.name, messageOf(error));
      }
    }
    if (own.length > 0) report.say(formatRows(own));
    rows.push(...own);
  }
  return rows;
}

function formatRows(rows: readonly MemoryRow[]): string {
  const [first] = rows;
  const head = ["", "threads", "library alone", "peak", "the model's part", `peak ÷ ${first.competitor}`];
  const cells = rows.map((row) => [
    row.competitor,
    String(row.threads),
    formatBytes(row.idleBytes),
    formatBytes(row.peakBytes),
    formatBytes(row.peakBytes - row.idleBytes),
    formatRatio(row.peakBytes / first.peakBytes),
  ]);
  return `${formatTable(head, cells)}\n`;
}
