/**
 * Checks the architecture rules on source files: which layer may import which, and which identifiers are forbidden
 * where. The input is files by their path under src/, the output complaints as text.
 */
import { posix } from "node:path";

export type Files = ReadonlyMap<string, string>;

interface Import {
  /** The file under src/, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
  /** Erased at run time, like `import type`. */
  readonly typeOnly: boolean;
}

/**
 * The layer of a path. The first match counts. Each concrete backend is a separate layer named after its folder, and so
 * are the kernels compiled to WebAssembly.
 */
function layerOf(path: string): string {
  const kernels = /^backend\/[^/]+\/kernels\//.exec(path);
  if (kernels !== null) return kernels[0].slice(0, -1);
  if (/^backend\/(?:backend|memory)\.ts$/.test(path)) return "contract";
  if (/^backend\/(?:names|open|open-browser|node-thread|web-thread)\.ts$/.test(path)) return "open";
  if (["index.ts", "browser.ts", "quickstart.ts"].includes(path)) return "library";
  if (path.startsWith("play/page/")) return "play/page";
  const backend = /^backend\/[^/]+\//.exec(path);
  if (backend !== null) return backend[0].slice(0, -1);
  const folder = path.includes("/") ? path.slice(0, path.indexOf("/")) : "ground";
  return folder === "util" ? "ground" : folder;
}

const core = ["ground", "contract", "autograd", "ops", "nn"];
const persistent = [...core, "text", "config", "run", "data"];

/**
 * The layers that each layer may import besides itself. cli may import everything, the library everything except cli.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  ground: [],
  text: ["ground"],
  config: ["ground", "text"],
  contract: ["ground"],
  autograd: core.slice(0, 2),
  ops: core.slice(0, 3),
  nn: core.slice(0, 4),
  optim: [...core, "config"],
  run: [...core, "text", "config"],
  data: ["ground", "text", "config", "run"],
  sample: [...core, "text"],
  distributed: ["ground", "contract", "autograd"],
  train: [...persistent, "optim", "distributed"],
  evaluate: [...persistent, "distributed", "sample", "train"],
  interop: persistent,
  verify: [...persistent, "sample", "train", "evaluate"],
  lesson: [...persistent, "sample", "optim", "train", "evaluate", "verify"],
  report: ["ground", "config", "run"],
  play: [...persistent, "optim", "sample", "train", "evaluate", "verify", "lesson"],
  "play/page": ["ground", "play"],
};

/** Backends that are built on another backend. */
const foundations: Readonly<Record<string, string>> = {
  "backend/blas": "backend/wasm",
  "backend/native": "backend/wasm",
};

/**
 * The files outside cli that need Node. Every other file runs in a browser: it imports neither Node's modules nor, at
 * run time, one of these.
 */
const NODE_SIDE: ReadonlySet<string> = new Set([
  "index.ts",
  "quickstart.ts",
  "backend/node-thread.ts",
  "backend/native/find-library.ts",
  "backend/open.ts",
  "backend/wasm/threads/supervisor.js",
  "backend/wasm/threads/worker.js",
  "data/corpus.ts",
  "data/decoded-bytes.ts",
  "data/folder-files.ts",
  "data/replayable-bytes.ts",
  "data/text-files.ts",
  "data/token-cache.ts",
  "data/token-file-header.ts",
  "data/token-file.ts",
  "data/tokenized-corpus.ts",
  "data/write-tokens.ts",
  "distributed/mpi-communicator.ts",
  "distributed/wait.ts",
  "report/html.ts",
  "run/heartbeat-thread.js",
  "run/make-folders.ts",
  "run/node-files.ts",
  "run/on-disk.ts",
  "run/regular-file.ts",
  "run/save-file.ts",
]);

/** The packages that portable layers may import. Other layers may import any package. */
const allowedPackages: Readonly<Record<string, readonly string[]>> = {
  ground: [
    "seedrandom",
    "seedrandom/lib/alea.js",
    "@noble/hashes/sha2.js",
    "@noble/hashes/utils.js",
    "zod/v4/locales/en.js",
  ],
  contract: [],
  autograd: [],
  ops: [],
  nn: [],
  text: ["zod/mini", "@huggingface/tokenizers"],
  sample: [],
};

function mayImport(from: string, to: string): boolean {
  if (from === to || from === "cli") return to !== "library" || from === to;
  if (from === "library") return to !== "cli" && !to.endsWith("/kernels");
  const toBackend = to.startsWith("backend/");
  if (from === "open") return to === "contract" || to === "ground" || (toBackend && !to.endsWith("/kernels"));
  if (from.endsWith("/kernels")) return false;
  // The engine of the page opens its own backend.
  if (from === "play" && (to === "open" || toBackend)) return !to.endsWith("/kernels");
  if (from.startsWith("backend/")) return to === "contract" || to === "ground" || to === foundations[from];
  return allowed[from]?.includes(to) ?? false;
}

/** Forbidden identifiers: where, and why. */
const words: readonly {
  pattern: RegExp;
  outsideCliOnly: boolean;
  why: string;
  /** The one file where it is allowed. */
  home?: string;
}[] = [
  { pattern: /\bconsole\s*\./, outsideCliOnly: false, why: "only cli prints, by its Terminal" },
  {
    pattern: /\bstd(?:out|err)\s*\.\s*write\b|\bprocess\s*\[/,
    outsideCliOnly: false,
    why: "only the terminal's output writes, because it makes everything printable",
    home: "cli/terminal/output.ts",
  },
  {
    pattern: /\bprocess\s*\.|\bfrom "node:process"/,
    outsideCliOnly: true,
    why: "only cli knows the process",
  },
  {
    pattern: /\bDate\b|\bperformance\s*\./,
    outsideCliOnly: true,
    why: "only cli reads the clock",
    home: "play/engine/main.ts",
  },
  {
    pattern: /(?:\bMath\s*\.\s*(?:min|max)|\.push|\.unshift|\bfromCharCode|\bfromCodePoint)\s*\([^()]*\.\.\./,
    outsideCliOnly: false,
    why: "a spread of arguments overflows the stack beyond about 65,000: use util/extremes.ts, or a loop",
  },
  { pattern: /\bMath\s*\.\s*random\b/, outsideCliOnly: false, why: "randomness is a passed Random" },
  {
    pattern: /\bMath\s*\.\s*(exp|expm1|log|log1p|log2|log10|pow|cbrt|hypot|a?(sin|cos|tan)h?|atan2)\b/,
    outsideCliOnly: false,
    why: "the host's functions differ in the last bit: use math.ts",
  },
  {
    // A power of two number literals is a constant. Any other power is the host's Math.pow.
    pattern: /(?<![\d\s])\s*\*\*|\*\*\s*(?!\d+\b)\S|[A-Za-z_$][\w$.]*\s*\*\*/,
    outsideCliOnly: false,
    why: "** is the host's Math.pow: multiply, or use math.ts",
  },
];

export function complaintsAbout(files: Files): string[] {
  return [
    ...arrowComplaints(files),
    ...wordComplaints(files),
    ...flagComplaints(files),
    ...cycleComplaints(files),
  ];
}

function arrowComplaints(files: Files): string[] {
  const complaints: string[] = [];
  for (const [path, source] of files) {
    const from = layerOf(path);
    for (const { target, isPackage } of importsOf(path, source)) {
      if (isPackage) {
        const fits = allowedPackages[from]?.includes(target) ?? !from.endsWith("/kernels");
        if (!fits) complaints.push(`${path} imports the package ${target}: ${from} may not`);
      } else if (!mayImport(from, layerOf(target))) {
        complaints.push(`${path} imports ${target}: ${from} may not import ${layerOf(target)}`);
      }
    }
  }
  return complaints;
}

/** Complains about files that need Node and are not listed, and about those that are listed and need none. */
export function nodeComplaints(files: Files): string[] {
  const complaints: string[] = [];
  for (const [path, source] of files) {
    if (layerOf(path) === "cli") continue;
    const needed = importsOf(path, source).filter(
      ({ target, typeOnly }) => target.startsWith("node:") || (!typeOnly && NODE_SIDE.has(target)),
    );
    const isListed = NODE_SIDE.has(path);
    if (isListed && needed.length === 0) complaints.push(`${path} is listed as needing Node, and does not`);
    if (isListed) continue;
    for (const { target } of needed) complaints.push(`${path} imports ${target}: it must run in a browser`);
  }
  return complaints;
}

function wordComplaints(files: Files): string[] {
  const complaints: string[] = [];
  for (const [path, source] of files) {
    withoutComments(source)
      .split("\n")
      .forEach((line, i) => {
        for (const { pattern, outsideCliOnly, why, home } of words) {
          if (path === home || (outsideCliOnly && layerOf(path) === "cli")) continue;
          if (pattern.test(line)) complaints.push(`${path}:${i + 1} ${line.trim()}: ${why}`);
        }
      });
  }
  return complaints;
}

/** A command-line flag in a string, "--grad-clip" or `--${name}`, but not a CSS custom property. */
const flag = /(?<!var\()--(?:[a-z]|\$\{)(?![\w-]*(?:\$\{\w+\})?:\S)/;

/** The library names settings, `gradClip`; the command line turns them into flags. */
function flagComplaints(files: Files): string[] {
  const complaints: string[] = [];
  for (const [path, source] of files) {
    // The page shows commands.
    if (["cli", "play/page"].includes(layerOf(path))) continue;
    for (const text of stringsOf(source))
      if (flag.test(text)) complaints.push(`${path} ${text.trim()}: only cli names flags; name the setting`);
  }
  return complaints;
}

/** Cycles of imports at run time. Type imports do not count. */
function cycleComplaints(files: Files): string[] {
  const complaints: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const first = trail.indexOf(path);
    if (first >= 0) {
      complaints.push(`a circle of imports: ${[...trail.slice(first), path].join(" → ")}`);
      return;
    }
    if (done.has(path)) return;
    for (const { target, isPackage, typeOnly } of importsOf(path, files.get(path) ?? "")) {
      if (!isPackage && !typeOnly) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  return complaints;
}

/** Every `import … from`, `export … from`, `import "…"` and `import("…")` of a file. */
export function importsOf(path: string, source: string): Import[] {
  const text = withoutComments(source);
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean) => {
    const isPackage = !specifier.startsWith(".");
    const target = isPackage ? specifier : withExtension(posix.join(posix.dirname(path), specifier));
    found.push({ target, isPackage, typeOnly });
  };
  for (const [, type, specifier] of text.matchAll(
    /^\s*(?:import|export)\s+(type\s+(?!,|from\b))?[^;'"()]*?\bfrom\s*["']([^"']+)["']/gm,
  )) {
    add(specifier, type !== undefined);
  }
  for (const [, specifier] of text.matchAll(/^\s*import\s*["']([^"']+)["']/gm)) add(specifier, false);
  for (const [, specifier] of text.matchAll(/\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g)) add(specifier, false);
  return found;
}

/** AssemblyScript imports omit the extension. */
function withExtension(path: string): string {
  return /\.[jt]s$/.test(path) ? path : `${path}.ts`;
}

/** A string literal, which is captured, or a comment. */
const PARTS = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** The text with comments replaced by spaces, so positions do not change. Strings stay. */
function withoutComments(source: string): string {
  return source.replace(PARTS, (part, text?: string) => text ?? part.replace(/[^\n]/g, " "));
}

/** Every string literal of a file, with its quotes. */
function stringsOf(source: string): string[] {
  return [...source.matchAll(PARTS)].flatMap(([, text]) => text ?? []);
}
