/** The trained tensors of a module, by name. The names are the keys of a checkpoint. */
import type { Tensor } from "../autograd/tensor.ts";

export interface NamedTensors {
  readonly [name: string]: Tensor;
}

/** Anything with parameters: a layer, a block, a model. */
export interface Module {
  parameters(): NamedTensors;
}

/**
 * The parameters of all parts, each name prefixed with the part's, in the order given. Parts that are null are left out.
 *
 * @example parametersOf({ scale: tensor, mlp, blocks: [first, second], head: null })
 *   // scale, mlp.up.weight, …, blocks.0.…, blocks.1.…
 */
export function parametersOf(
  parts: Readonly<Record<string, Tensor | Module | readonly Module[] | null>>,
): NamedTensors {
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

/** Two modules as one, their parameters under the same prefix. */
export function joined(first: Module, second: Module): Module {
  return { parameters: () => ({ ...first.parameters(), ...second.parameters() }) };
}

/** How many numbers the parameters hold in all. */
export function countNumbers(parameters: NamedTensors): number {
  return Object.values(parameters).reduce((count, tensor) => count + tensor.size, 0);
}
