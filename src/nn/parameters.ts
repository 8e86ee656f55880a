/** What a module trains, by name. Names explain themselves and are the keys of a checkpoint. */
import type { Tensor } from "../autograd/tensor.ts";

export interface NamedTensors {
  readonly [name: string]: Tensor;
}

/** The parameters of a part, each name led by the part's: "mlp" and "expand.weight" give "mlp.expand.weight". */
export function named(prefix: string, parameters: NamedTensors): NamedTensors {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, tensor]) => [`${prefix}.${name}`, tensor]),
  );
}

/** How many numbers the parameters hold. */
export function countNumbers(parameters: NamedTensors): number {
  return Object.values(parameters).reduce((count, tensor) => count + tensor.size, 0);
}
