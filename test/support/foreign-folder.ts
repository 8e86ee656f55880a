/** Folders of models as other programs save them, in memory. */

import type { ArchitectureName } from "../../src/interop/architecture.ts";
import { mapOf } from "../../src/interop/maps/index.ts";
import { toForeign } from "../../src/interop/maps/tensor-map.ts";
import { parameterShapes } from "../../src/interop/parameter-shapes.ts";
import { tokenizerFiles } from "../../src/interop/tokenizer-json.ts";
import type { GPTConfig } from "../../src/nn/config.ts";
import { Random } from "../../src/random.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { encodeSafetensors, type StoredTensor } from "../../src/run/safetensors.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";

export const FOLDER = "/model";
export const TOKENIZER = new CharTokenizer("abcdefghijk", { endOfText: true });

/** Random weights for a config, by nopeek's names. */
export function randomWeights(config: GPTConfig): Map<string, StoredTensor> {
  const random = Random.of(3, "weights");
  return new Map(
    [...parameterShapes(config)].map(([name, shape]) => [
      name,
      {
        shape,
        values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() / 8),
      },
    ]),
  );
}

/** A folder with these weights under the names of an architecture. */
export function foreignFolder(
  name: ArchitectureName,
  config: GPTConfig,
  weights: ReadonlyMap<string, StoredTensor>,
  fields: Readonly<Record<string, unknown>>,
): MemoryFiles {
  const files = new MemoryFiles();
  files.createFolder(FOLDER);
  const tensors = toForeign(mapOf(name, config), config, weights);
  files.write(`${FOLDER}/model.safetensors`, encodeSafetensors(tensors, { format: "pt" }));
  writeJSON(files, "config.json", fields);
  writeJSON(files, "tokenizer.json", tokenizerFiles(TOKENIZER, 7).tokenizer);
  return files;
}

export function writeJSON(files: MemoryFiles, name: string, value: unknown): void {
  files.write(`${FOLDER}/${name}`, new TextEncoder().encode(JSON.stringify(value)));
}
