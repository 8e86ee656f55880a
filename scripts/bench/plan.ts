/** The command line's options, as every section receives them. */
import type { Competitor, TaskKind } from "./competitors.ts";
import type { Report } from "./report.ts";
import type { SizeName } from "./sizes.ts";
import type { TaskFiles } from "./tasks.ts";

export interface Plan {
  readonly sizes: readonly SizeName[];
  readonly threads: readonly number[];
  readonly rounds: number;
  readonly competitors: readonly Competitor[];
  readonly taskFiles: TaskFiles;
  readonly report: Report;
}

export function competitorsFor(plan: Plan, kind: TaskKind): Competitor[] {
  return plan.competitors.filter(({ kinds }) => kinds.includes(kind));
}
