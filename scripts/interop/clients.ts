/** Finds the clients: Python with packages, and packages of Node. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const python = process.env.INTEROP_PYTHON ?? `${here}.venv/bin/python`;
const transformers4 = process.env.INTEROP_TRANSFORMERS4 ?? `${here}.venv/transformers4`;

/** A program that runs a check, with its environment. */
export interface Client {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Why it cannot run; null if it can. */
  readonly missing: string | null;
}

/** Python with transformers 5, onnxruntime and llama.cpp. */
export const PYTHON = pythonClient("Python", {}, ["torch", "transformers", "onnxruntime", "xllamacpp"]);
/** The same with transformers 4. */
export const PYTHON_4 = pythonClient("transformers 4", { PYTHONPATH: transformers4 }, [
  "torch",
  "transformers",
]);
/** Node with transformers.js and onnxruntime. */
export const NODE: Client = {
  name: "Node",
  command: [process.execPath],
  environment: {},
  missing: existsSync(`${here}node_modules/@huggingface/transformers`)
    ? null
    : "transformers.js is not installed: scripts/interop/install.sh",
};

/** The clients by version, for the head of the report. */
export function describeClients(): string {
  const modules = "torch, transformers, tokenizers, onnx, onnxruntime, xllamacpp";
  const line = `import importlib.metadata as m; print(", ".join(f"{n} {m.version(n)}" for n in "${modules}".split(", ")))`;
  const versions =
    PYTHON.missing === null ? execFileSync(python, ["-c", line], { encoding: "utf8" }).trim() : "";
  return [`Node ${process.versions.node}`, versions].filter((part) => part !== "").join(", ");
}

function pythonClient(
  name: string,
  environment: Readonly<Record<string, string>>,
  modules: readonly string[],
): Client {
  const folder = environment.PYTHONPATH;
  const absent = [python, ...(folder === undefined ? [] : [folder])].find((path) => !existsSync(path));
  const missing =
    absent === undefined
      ? missingModule(modules, environment)
      : `${absent} does not exist: scripts/interop/install.sh`;
  return { name, command: [python], environment, missing };
}

/** Only looks for the modules: importing torch takes seconds. */
function missingModule(
  modules: readonly string[],
  environment: Readonly<Record<string, string>>,
): string | null {
  const line = `import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n) is None])`;
  try {
    const output = execFileSync(python, ["-c", line, ...modules], {
      encoding: "utf8",
      env: { ...process.env, ...environment },
    }).trim();
    return output === "" ? null : `Python lacks ${output}: scripts/interop/install.sh`;
  } catch (error) {
    return `Python does not start: ${error instanceof Error ? error.message : error}`;
  }
}
