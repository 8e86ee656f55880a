/** The trained tensors of a module by name. The names are the keys of a checkpoint. */

import type { Tensor } from "../autograd/tensor.ts";
import { checkTypes } from "../util/check-types.ts";

export interface NamedTensors {
  readonly [name: string]: Tensor;
}

/** Anything with parameters: a layer, a block, a model. */
export interface Module {
  parameters(): NamedTensors;
}

/**
 * Collects the parameters of several parts, in the given order. Each name is prefixed with that of its part; null parts
 * are left out.
 *
 * @example parametersOf({ scale: tensor, mlp, blocks: [first, second], head: null })
 *   // scale, mlp.up.weight, …, blocks.0.…, blocks.1.…
 */
export function parametersOf(
  parts: Readonly<Record<string, Tensor | Module | readonly Module[] | null>>,
): NamedTensors {
  checkTypes("parametersOf", { parts }, { parts: "object" });
  const named: Record<string, Tensor> = {};
  const addModule = (prefix: string, module: Module) => {
    for (const [name, tensor] of Object.entries(module.parameters())) named[`${prefix}.${name}`] = tensor;
  };
  for (const [name, part] of Object.entries(parts)) {
    if (part === null) continue;
    if ("storage" in part) named[name] = part;
    else if ("parameters" in part) addModule(name, part);
    else for (const [i, module] of part.entries()) addModule(`${name}.${i}`, module);
  }
  return named;
}

/** Two modules as one, with their parameters under a common prefix. */
export function joined(first: Module, second: Module): Module {
  return { parameters: () => ({ ...first.parameters(), ...second.parameters() }) };
}

/**
 * The total number of elements of all parameters.
 *
 * @example countNumbers(model.parameters())
 */
export function countNumbers(parameters: NamedTensors): number {
  checkTypes("countNumbers", { parameters }, { parameters: "object" });
  return Object.values(parameters).reduce((count, tensor) => count + tensor.size, 0);
}
