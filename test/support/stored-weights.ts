/** The weights of a model as a run stores them. */
import type { NamedTensors } from "../../src/nn/parameters.ts";
import type { StoredTensor } from "../../src/run/safetensors.ts";

/** Rounds the weights to single precision, in the model too, and returns them by name. */
export async function storedWeights(model: {
  parameters(): NamedTensors;
}): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of Object.entries(model.parameters())) {
    const values = Float32Array.from(await tensor.read());
    tensor.write(values);
    tensors.set(name, { shape: tensor.shape, values });
  }
  return tensors;
}
