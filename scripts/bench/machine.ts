/** Describes the machine of a measurement. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import * as z from "zod";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** CPU features that matter for arithmetic; empty if the system does not report them. */
  readonly abilities: readonly string[];
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly nopeek: string;
  /** The source's commit, with "-dirty" for uncommitted changes; null outside a repository. */
  readonly commit: string | null;
  readonly startedAt: string;
  /** The load average of the last minute, before this program began. */
  readonly loadBefore: number;
  /** Environment variables that affect a BLAS library or a thread pool. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Above this load, other programs are computing. */
export const QUIET_LOAD = 0.3;

export function describeMachine(): Machine {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(`${root}package.json`, "utf8")));
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    abilities: abilities(),
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
    node: process.version,
    nopeek: version,
    commit: commit(),
    startedAt: new Date().toISOString(),
    loadBefore: loadavg()[0],
    environment: Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        value !== undefined && /^(OPENBLAS|OMP|MKL|GOMP|NOPEEK_BLAS|NODE_OPTIONS)/.test(name)
          ? [[name, value]]
          : [],
      ),
    ),
  };
}

export function formatMachine(machine: Machine): string {
  const gib = Math.round(machine.memoryBytes / 2 ** 30);
  const set = Object.entries(machine.environment).map(([name, value]) => `${name}=${value}`);
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.abilities.join(" ")}, ${gib} GiB, ${machine.system}`,
    `Node ${machine.node}, nopeek ${machine.nopeek}${machine.commit === null ? "" : ` at ${machine.commit}`}`,
    ...(set.length > 0 ? [set.join(" ")] : []),
    ...(machine.loadBefore > QUIET_LOAD
      ? [
          `The machine is not quiet (load ${machine.loadBefore.toFixed(2)}): ratios are unreliable, times even more so.`,
        ]
      : []),
  ].join("\n");
}

function abilities(): string[] {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].split(/\s+/) ?? [];
    return ["fma", "avx2", "avx512f", "amx_bf16"].filter((name) => flags.includes(name));
  } catch {
    return [];
  }
}

function commit(): string | null {
  const { status, stdout } = spawnSync("git", ["describe", "--always", "--dirty"], {
    cwd: root,
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : null;
}
