/** The kernels that are written in C, and how C receives their arguments. */
import { argumentsOf, type KernelName } from "../wasm/host/signatures.ts";

/** Each has the arguments of the kernel of this name in WebAssembly, after the address where memory begins. */
export const nativeKernels = [
  "gemm",
  "attention",
  "attentionBackward",
  "unaryTanh",
  "unaryRelu",
  "unaryRelu2",
  "unarySilu",
  "unaryGelu",
  "unaryGeluTanh",
  "unaryTanhBackward",
  "unaryReluBackward",
  "unaryRelu2Backward",
  "unarySiluBackward",
  "unaryGeluBackward",
  "unaryGeluTanhBackward",
  "geluWithDerivative",
  "geluTanhWithDerivative",
] as const satisfies readonly KernelName[];

export type NativeKernelName = (typeof nativeKernels)[number];

/** The arguments that are numbers with a fraction. All others are addresses, counts, flags or keys. */
const fractions: ReadonlySet<string> = new Set(["factor", "epsilon"]);

/** The C types of the arguments of each kernel, for koffi. */
export type ArgumentTypes = Readonly<Record<string, readonly string[]>>;

export const argumentTypes: ArgumentTypes = Object.fromEntries(
  nativeKernels.map((kernel) => [
    kernel,
    argumentsOf(kernel).map((name) => (fractions.has(name) ? "float" : "uint32_t")),
  ]),
);
