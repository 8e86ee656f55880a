/** The competitors: how to start each one, and why one cannot run. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Child, CompetitorError, type Program } from "./child.ts";

const peers = fileURLToPath(new URL("peers/", import.meta.url));

export const PEER_NAMES = ["torch", "jax", "tfjs", "candle"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

export type TaskKind = "training" | "sampling" | "products";

export interface Competitor {
  readonly name: string;
  /** null for nopeek. */
  readonly peer: PeerName | null;
  readonly kinds: readonly TaskKind[];
  /** False if it always runs on one thread. */
  readonly threaded: boolean;
  readonly program: (threads: number) => Program;
  /** Additional fields of its tasks. */
  readonly extras: object;
}

/** The nopeek configuration that all other results are compared with. */
export const REFERENCE_NAME = "nopeek wasm";

const node = (script: string) => (): Program => ({ file: process.execPath, arguments: [peers + script] });

/** Limits every library to the given number of threads. Output of torch.compile is cached next to the peers. */
export const pythonProgram = (threads: number, script = "pytorch.py"): Program => ({
  file: pythonPath(),
  arguments: [peers + script],
  environment: {
    OMP_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
    TORCHINDUCTOR_CACHE_DIR: `${peers}.inductor`,
  },
});

const candleFile = `${peers}candle/target/release/nopeek-candle${process.platform === "win32" ? ".exe" : ""}`;

const candleProgram = (threads: number): Program => ({
  file: candleFile,
  arguments: [],
  environment: { RAYON_NUM_THREADS: String(threads) },
});

const all: readonly TaskKind[] = ["training", "sampling", "products"];

export const COMPETITORS: readonly Competitor[] = [
  ...[
    { name: REFERENCE_NAME, extras: { backend: "wasm" } },
    { name: "nopeek native", extras: { backend: "native" } },
    { name: "nopeek wasm, fast", extras: { backend: "wasm", fast: true } },
    { name: "nopeek blas", extras: { backend: "blas" } },
  ].map((own) => ({ ...own, peer: null, kinds: all, threaded: true, program: node("nopeek.js") })),
  { name: "PyTorch", peer: "torch", kinds: all, threaded: true, program: pythonProgram, extras: {} },
  {
    ...({ name: "PyTorch, compiled", peer: "torch", kinds: ["training"], threaded: true } as const),
    ...{ program: pythonProgram, extras: { compiled: true } },
  },
  {
    ...({ name: "jax-js", peer: "jax", kinds: ["training"], threaded: false } as const),
    ...{ program: node("jax.js"), extras: {} },
  },
  {
    ...({ name: "tfjs", peer: "tfjs", kinds: ["training"], threaded: false } as const),
    ...{ program: node("tfjs.js"), extras: {} },
  },
  {
    ...({ name: "candle", peer: "candle", kinds: ["training"], threaded: true } as const),
    ...{ program: candleProgram, extras: {} },
  },
];

/** A competitor, its task and its number of threads. */
export interface RunningCompetitor {
  readonly competitor: Competitor;
  readonly threads: number;
  readonly child: Child;
}

/** @throws CompetitorError if it cannot take part */
export async function startCompetitor(
  competitor: Competitor,
  kind: TaskKind,
  threads: number,
  task: object,
): Promise<RunningCompetitor> {
  const missing = competitor.peer === null ? null : whyMissing(competitor.peer);
  if (missing !== null) throw new CompetitorError(missing);
  const child = await Child.start(competitor.program(threads), {
    kind,
    threads,
    ...task,
    ...competitor.extras,
  });
  return { competitor, threads, child };
}

/** Why a peer is missing and how to install it; null if it is available. */
export function whyMissing(peer: PeerName): string | null {
  if (peer === "torch") {
    return hasTorch()
      ? null
      : "is not installed: python3 -m venv scripts/bench/peers/.venv && scripts/bench/peers/.venv/bin/pip install -r scripts/bench/peers/requirements.txt";
  }
  if (peer === "candle") {
    return existsSync(candleFile)
      ? null
      : "is not built: cd scripts/bench/peers/candle && cargo build --release";
  }
  const folder = { jax: "@jax-js/jax", tfjs: "@tensorflow/tfjs-backend-wasm" }[peer];
  return existsSync(`${peers}node_modules/${folder}`)
    ? null
    : "is not installed: npm ci --prefix scripts/bench/peers";
}

let torchFound: boolean | null = null;

function hasTorch(): boolean {
  torchFound ??= spawnSync(pythonPath(), ["-c", "import torch"], { stdio: "ignore" }).status === 0;
  return torchFound;
}

/** The Python from NOPEEK_BENCH_PYTHON, else the peers' virtual environment, else the system's. */
function pythonPath(): string {
  const named = process.env.NOPEEK_BENCH_PYTHON;
  if (named !== undefined) return named;
  const own = [`${peers}.venv/bin/python`, `${peers}.venv/Scripts/python.exe`].find((path) =>
    existsSync(path),
  );
  return own ?? "python3";
}
