/** Growth of a training step's time and memory with width, context and threads: curves and fitted exponents. */
import { competitorsFor, type Plan } from "../plan.ts";
import { alternate } from "../rounds.ts";
import { countParameters, SIZES, type Size } from "../sizes.ts";
import { growthExponent, typical } from "../statistics.ts";
import { formatBytes, formatNumber, formatTable } from "../table.ts";
import { startTrainings } from "../training.ts";

interface Axis {
  readonly name: string;
  readonly points: readonly { readonly value: number; readonly size: Size; readonly threads: number }[];
}

interface GrowthPoint {
  readonly value: number;
  readonly parameters: number;
  readonly medianMs: number;
  /** Memory beyond the library: peak minus the memory before the model was created. */
  readonly modelBytes: number;
}

export interface GrowthRow {
  readonly axis: string;
  readonly competitor: string;
  readonly points: readonly GrowthPoint[];
  /** k of time ∝ valueᵏ and memory ∝ valueᵏ. */
  readonly timeExponent: number;
  readonly memoryExponent: number;
}

const TURN_MS = 60;
const BUDGET_MS = 4_000;
/** More rounds would hardly improve the exponent. */
const MAX_ROUNDS = 5;
/** With compiled or slow competitors, a curve of many points would take an hour. */
const DRAWN = ["nopeek wasm", "nopeek blas", "PyTorch"];

function axesOf({ threads }: Plan): Axis[] {
  const [fewest, most] = [Math.min(...threads), Math.max(...threads)];
  const at = (value: number, change: Partial<Size>, count = fewest) => ({
    value,
    size: { ...SIZES.nanogpt, ...change },
    threads: count,
  });
  return [
    { name: "d-model", points: [64, 128, 256, 512].map((dModel) => at(dModel, { dModel })) },
    {
      name: "context",
      points: [64, 128, 256, 512].map((contextLength) => at(contextLength, { contextLength, batchSize: 4 })),
    },
    { name: "layers", points: [2, 4, 8].map((layers) => at(layers, { layers })) },
    { name: "threads", points: threadCounts(most).map((count) => at(count, {}, count)) },
  ];
}

export async function measureGrowth(plan: Plan): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const axis of axesOf(plan)) {
    if (axis.points.length < 2) continue;
    plan.report.say(`\nGrowth with ${axis.name}: a training step of the first size, ${conditionsOf(axis)}`);
    const own = await measureAxis(plan, axis);
    plan.report.say(formatRows(own, axis));
    rows.push(...own);
  }
  return rows;
}

async function measureAxis(plan: Plan, axis: Axis): Promise<GrowthRow[]> {
  const competitors = competitorsFor(plan, "training").filter(({ name }) => DRAWN.includes(name));
  const curves = new Map<string, GrowthPoint[]>();
  for (const { value, size, threads } of axis.points) {
    const task = await plan.taskFiles.task(size);
    const trainings = await startTrainings(competitors, [threads], task, plan.report);
    const times = await alternate(trainings, {
      rounds: Math.min(MAX_ROUNDS, plan.rounds),
      turnMs: TURN_MS,
      budgetMs: BUDGET_MS,
    });
    for (const [i, { competitor, child }] of trainings.entries()) {
      const modelBytes = (await child.peakBytes()) - child.idleBytes;
      const point = { value, parameters: countParameters(size), medianMs: typical(times[i]), modelBytes };
      curves.set(competitor.name, [...(curves.get(competitor.name) ?? []), point]);
      child.stop();
    }
  }
  return [...curves].map(([competitor, points]) => ({
    axis: axis.name,
    competitor,
    points,
    timeExponent: growthExponent(points.map(({ value, medianMs }) => [value, medianMs])),
    memoryExponent: growthExponent(points.map(({ value, modelBytes }) => [value, modelBytes])),
  }));
}

function conditionsOf({ name, points }: Axis): string {
  const [{ size, threads }] = points;
  return `batch ${size.batchSize}${name === "threads" ? "" : `, ${threads} ${threads === 1 ? "thread" : "threads"}`}`;
}

/** 1, 2, 4, … and the maximum. */
export function threadCounts(most: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < most; count *= 2) counts.push(count);
  return [...counts, most];
}

function formatRows(rows: readonly GrowthRow[], axis: Axis): string {
  const values = axis.points.map(({ value }) => value);
  const head = ["", ...values.map(String), "∝ xᵏ"];
  const parameters = axis.points.map(({ size }) => countParameters(size).toLocaleString("en-US"));
  const curves = rows.flatMap(({ competitor, points, timeExponent, memoryExponent }) => {
    // A competitor may be missing at some points.
    const at = values.map((value) => points.find((point) => point.value === value));
    const cells = (format: (point: GrowthPoint) => string) =>
      at.map((point) => (point === undefined ? "–" : format(point)));
    return [
      [
        `${competitor}, ms per step`,
        ...cells(({ medianMs }) => formatNumber(medianMs)),
        timeExponent.toFixed(2),
      ],
      [
        `${competitor}, memory`,
        ...cells(({ modelBytes }) => formatBytes(modelBytes)),
        memoryExponent.toFixed(2),
      ],
    ];
  });
  return `${formatTable(head, [["parameters", ...parameters, ""], ...curves])}\n`;
}
