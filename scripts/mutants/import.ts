/** Mutants of importing models of other programs. */
import type { Mutant } from "./list.ts";

const LOGITS = ["test/interop/import/logits.test.ts"];
const FOLDER = ["test/interop/import/import-folder.test.ts"];
const REFUSED = ["test/interop/import/import-refused.test.ts"];

export const imports: readonly Mutant[] = [
  {
    promise: "GPT-2's gelu_new is the approximation by tanh",
    file: "src/interop/import/families.ts",
    line: '  gelu_new: "gelu-tanh",',
    broken: '  gelu_new: "gelu",',
    tests: LOGITS,
  },
  {
    promise: "an imported norm has the epsilon of its config.json",
    file: "src/interop/import/llama-fields.ts",
    line: 'normEpsilon: fields.number("rms_norm_eps", defaults.normEpsilon),',
    broken: 'normEpsilon: fields.number("rms_norm_eps", defaults.normEpsilon) / 10,',
    tests: LOGITS,
  },
  {
    promise: "imported rotary positions have the base of their config.json",
    file: "src/interop/import/llama-fields.ts",
    line: 'const own = rope.number("rope_theta", base);',
    broken: 'const own = Math.max(rope.number("rope_theta", base), 10_000);',
    tests: LOGITS,
  },
  {
    promise: "an index of weights does not lead out of its folder",
    file: "src/interop/import/folder.ts",
    line: String.raw`if (typeof name === "string" && /^[\w-][\w.-]*\.safetensors$/.test(name)) return [tensor, name];`,
    broken: 'if (typeof name === "string") return [tensor, name];',
    tests: REFUSED,
  },
  {
    promise: "weights that are no numbers are refused",
    file: "src/interop/import/foreign-tensors.ts",
    line: "const wrong = values.findIndex((value) => !Number.isFinite(value));",
    broken: "const wrong = -1;",
    tests: REFUSED,
  },
  {
    promise: "a tensor that the model does not have is refused",
    file: "src/interop/import/import-folder.ts",
    line: "  if (unused.length === 0) return own;",
    broken: "  if (unused.length >= 0) return own;",
    tests: REFUSED,
  },
  {
    promise: "a field of config.json that may change logits is not ignored",
    file: "src/interop/import/config-fields.ts",
    line: "    if (left.length === 0) return;",
    broken: "    if (left.length >= 0) return;",
    tests: REFUSED,
  },
  {
    promise: "a Llama without an epsilon has that of its class",
    file: "src/interop/import/families.ts",
    line: "const model = llamaSettings(fields, tensors, { normEpsilon: 1e-6 });\n    return { ...model, map",
    broken:
      "const model = llamaSettings(fields, tensors, { normEpsilon: 1e-5 });\n    return { ...model, map",
    tests: FOLDER,
  },
  {
    promise: "a sliding window that config.json leaves out is that of the class",
    file: "src/interop/import/config-fields.ts",
    line: "if (!this.#values.has(name)) return fallback;",
    broken: "if (!this.#values.has(name)) return null;",
    tests: FOLDER,
  },
  {
    promise: "a run whose weights are its own is not imported",
    file: "src/run/checkpoint.ts",
    line: "return files.sha256Of(joinPath(folder, MODEL), TENSORS_LIMIT) === hashes[MODEL];",
    broken: "return hashes[MODEL] === folder;",
    tests: ["test/interop/import/saved-again.test.ts"],
  },
];
