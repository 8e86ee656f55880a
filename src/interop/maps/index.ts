/** The table of each architecture. */
import type { GPTConfig } from "../../nn/config.ts";
import type { ArchitectureName } from "../architecture.ts";
import { gptNeoXMap } from "./gpt-neox.ts";
import { gpt2Map } from "./gpt2.ts";
import { llamaMap } from "./llama.ts";
import type { TensorMap } from "./tensor-map.ts";
import { vaultGemmaMap } from "./vault-gemma.ts";

const MAPS: Readonly<Record<ArchitectureName, (config: GPTConfig) => TensorMap>> = {
  GPT2: gpt2Map,
  GPTNeoX: gptNeoXMap,
  Llama: llamaMap,
  Qwen3: llamaMap,
  Arcee: llamaMap,
  SmolLM3: llamaMap,
  OLMo: (config) => llamaMap(config, { norms: false }),
  VaultGemma: vaultGemmaMap,
};

/** Where a model's weights are in a file of this architecture. */
export function mapOf(name: ArchitectureName, config: GPTConfig): TensorMap {
  return MAPS[name](config);
}
