/** The kernels that are written in C, and how C receives their arguments. */
import { argumentsOf, type KernelName } from "../wasm/host/signatures.ts";

/** Each has the arguments of the kernel of this name in WebAssembly, after the address where memory begins. */
export const kernelsOfProducts = [
  "gemm",
  "attention",
  "attentionBackward",
] as const satisfies readonly KernelName[];

/** What these gain comes from vectors wider than those of WebAssembly: plain ones are no faster. */
export const kernelsOfRows = [
  "unaryTanh",
  "unarySilu",
  "unaryGelu",
  "unaryGeluTanh",
  "unaryTanhBackward",
  "unarySiluBackward",
  "unaryGeluBackward",
  "unaryGeluTanhBackward",
  "geluWithDerivative",
  "geluTanhWithDerivative",
  "dropout",
  "rotateRows",
  "crossEntropyRows",
  "crossEntropyRowsBackward",
  "adamw",
] as const satisfies readonly KernelName[];

/** The arguments that are numbers with a fraction. All others are addresses, counts, flags or keys. */
const fractions: ReadonlySet<string> = new Set(
  "factor epsilon gradientScale beta1 rest1 beta2 rest2 stepSize rootCorrection2".split(" "),
);

/** The C types of the arguments of each kernel, for koffi. */
export type ArgumentTypes = Readonly<Record<string, readonly string[]>>;

const typeOf = (argument: string) => (fractions.has(argument) ? "float" : "uint32_t");

export const argumentTypes: ArgumentTypes = Object.fromEntries(
  [...kernelsOfProducts, ...kernelsOfRows].map((kernel) => [kernel, argumentsOf(kernel).map(typeOf)]),
);
