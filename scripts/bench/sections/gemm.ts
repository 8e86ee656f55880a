/**
 * Matrix products on one thread, relative to the peak of a core. Two limits are measured in the same rounds: 128-bit
 * multiplications and additions within registers, the limit of plain WebAssembly, and the fastest product of any
 * competitor, which may use wider registers and fused operations.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { Child } from "../child.ts";
import { startCompetitor } from "../competitors.ts";
import { competitorsFor, type Plan } from "../plan.ts";
import { alternate, type Player } from "../rounds.ts";
import { median, type RoundTimes, typical } from "../statistics.ts";
import { formatNumber, formatTable } from "../table.ts";
import { messageOf } from "../training.ts";

export interface ProductRequest {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly aTransposed: boolean;
  readonly bTransposed: boolean;
  readonly count: number;
  readonly warmUp: number;
}

type Shape = Omit<ProductRequest, "count" | "warmUp">;

const shape = (
  rows: number,
  inner: number,
  columns: number,
  aTransposed = false,
  bTransposed = false,
): Shape => ({
  ...{ rows, inner, columns, aTransposed, bTransposed },
});

/** Forward, input gradient and weight gradient at the first two sizes; the head; a single token. */
const SHAPES: readonly Shape[] = [
  shape(768, 128, 128),
  shape(768, 128, 512),
  shape(768, 512, 128, false, true),
  shape(128, 768, 512, true),
  shape(768, 128, 65, false, true),
  shape(1024, 384, 1536),
  shape(1024, 1536, 384, false, true),
  shape(384, 1024, 1536, true),
  shape(1024, 1024, 1024),
  shape(1, 128, 512),
  shape(1, 384, 1536),
];

const TURN_MS = 20;
const BUDGET_MS = 2_000;
/** Twelve sums, four times, four lanes, a multiplication and an addition each: see peak/spin.ts. */
const OPERATIONS_PER_PASS = 12 * 4 * 4 * 2;
/** Half a millisecond, so that the call overhead is negligible. */
const SPIN_PASSES = 50_000;

const productLayout = z.object({ times: z.array(z.number()), sum: z.number() });

export interface ProductRow extends Shape {
  readonly gigaflops: Readonly<Record<string, number>>;
  /** Relative to the register peak, measured in the same rounds. */
  readonly shareOfPeak: Readonly<Record<string, number>>;
  /** GFLOP/s of multiplications and additions in registers. */
  readonly peak: number;
}

export async function measureProducts(plan: Plan): Promise<ProductRow[]> {
  plan.report.say("\nMatrix products on one thread, GFLOP/s, and share of the 128-bit register peak");
  const children: { name: string; child: Child }[] = [];
  for (const competitor of competitorsFor(plan, "products")) {
    try {
      const { child } = await startCompetitor(competitor, "products", 1, {});
      children.push({ name: competitor.name, child });
    } catch (error) {
      plan.report.leaveOut(competitor.name, messageOf(error));
    }
  }
  const peak = await startPeak(plan);
  const rows: ProductRow[] = [];
  for (const one of SHAPES) rows.push(await measureShape(plan, one, children, peak));
  for (const { child } of children) child.stop();
  peak.stop();
  plan.report.say(formatRows(rows));
  return rows;
}

async function measureShape(
  plan: Plan,
  one: Shape,
  children: readonly { readonly name: string; readonly child: Child }[],
  peak: Child,
): Promise<ProductRow> {
  const operations = 2 * one.rows * one.inner * one.columns;
  const players: Player[] = [await playerOf(peak, { passes: SPIN_PASSES })];
  const sums: number[] = [];
  for (const { child } of children) {
    sums.push((await child.ask("product", { ...one, count: 1, warmUp: 0 }, productLayout)).sum);
    players.push(await playerOf(child, one));
  }
  children.forEach(({ name }, i) => {
    // Operands are small multiples of 1/8, so every sum is exact in any order.
    if (sums[i] !== sums[0]) {
      plan.report.reject(
        name,
        `${formatShape(one)} has the weighted sum ${sums[i]}, expected ${sums[0]} as in ${children[0].name}`,
      );
    }
  });
  const pace = { rounds: plan.rounds, turnMs: TURN_MS, budgetMs: BUDGET_MS };
  const [peakTimes, ...times]: RoundTimes[] = await alternate(players, pace);
  const peakSpeed = (SPIN_PASSES * OPERATIONS_PER_PASS) / typical(peakTimes) / 1e6;
  const gigaflops = Object.fromEntries(
    children.map(({ name }, i) => [name, operations / typical(times[i]) / 1e6]),
  );
  const shareOfPeak = Object.fromEntries(
    Object.entries(gigaflops).map(([name, speed]) => [name, speed / peakSpeed]),
  );
  return { ...one, gigaflops, shareOfPeak, peak: peakSpeed };
}

async function playerOf(child: Child, request: object): Promise<Player> {
  const run = async (count: number, warmUp: number) =>
    (await child.ask("product", { ...request, count, warmUp }, productLayout)).times;
  return { run, expectedMs: median(await run(5, 2)) };
}

async function startPeak({ taskFiles }: Plan): Promise<Child> {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const wasmPath = join(taskFiles.folder, "spin.wasm");
  const options = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--outFile", wasmPath];
  const words = ["node_modules/assemblyscript/bin/asc.js", "scripts/bench/peak/spin.ts", ...options];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`peak/spin.ts does not compile: ${stderr}`);
  const script = fileURLToPath(new URL("../peers/peak.js", import.meta.url));
  return Child.start({ file: process.execPath, arguments: [script] }, { kind: "products", wasmPath });
}

function formatRows(rows: readonly ProductRow[]): string {
  const names = Object.keys(rows[0].gigaflops);
  const head = ["rows × inner × columns", "registers", ...names.flatMap((name) => [name, "share"])];
  const cells = rows.map((row) => [
    formatShape(row),
    formatNumber(row.peak),
    ...names.flatMap((name) => [
      formatNumber(row.gigaflops[name]),
      `${Math.round(100 * row.shareOfPeak[name])}%`,
    ]),
  ]);
  return `${formatTable(head, cells)}\n`;
}

function formatShape({ rows, inner, columns, aTransposed, bTransposed }: Shape): string {
  return `${rows} × ${inner} × ${columns}  A${aTransposed ? "ᵀ" : ""}·B${bTransposed ? "ᵀ" : ""}`;
}
