/**
 * A GPT as an ONNX graph, with the inputs and outputs that programs expect of a decoder with a KV cache:
 *
 *   input_ids, position_ids (B, T)    attention_mask (B, P + T)    past_key_values.N.key, .value (B, H, P, D)
 *   → logits (B, T, V)                present.N.key, .value (B, H, P + T, D)
 *
 * P tokens are cached, T are new. With P = 0 it is a pass over whole sequences. attention_mask is 0 at padding, and
 * position_ids count from the first token that is no padding.
 *
 * A bigram needs the token before the first new one, which no input has. So the keys of the first layer have one more
 * channel, which holds the ids of the tokens.
 */
import { ConfigError } from "../../errors.ts";
import { type GPTConfig, headSizeOf, kvHeadsOf } from "../../nn/config.ts";
import { anglesAt } from "../../nn/layers/rotary-angles.ts";
import type { StoredTensor } from "../../run/safetensors.ts";
import { embeddings, positionRows, previousIds } from "./embeddings.ts";
import { Graph, type Value } from "./graph.ts";
import { type AttentionInputs, attentionMask, block, head, type LayerCache, norm } from "./layers.ts";
import type { GraphParts, Port } from "./messages.ts";

const BATCH = "batch_size";
const NEW = "sequence_length";
const PAST = "past_sequence_length";
const TOTAL = "total_sequence_length";

/** Larger ids are not exact in single precision. */
const MAX_BIGRAM_VOCABULARY = 2 ** 24;

/**
 * @param tensors the weights, by the names of `GPT.parameters()`
 * @throws ConfigError if a weight is missing, or the vocabulary is too large for bigrams
 */
export function decoderGraph(config: GPTConfig, tensors: ReadonlyMap<string, StoredTensor>): GraphParts {
  checkVocabulary(config);
  const graph = new Graph(tensors);
  const ids = graph.input("input_ids", "int64", [BATCH, NEW]);
  const present = graph.input("attention_mask", "int64", [BATCH, TOTAL]);
  const positions = graph.input("position_ids", "int64", [BATCH, NEW]);
  const { layers, vocabSize, bigram } = config;
  const setLogits = graph.output("logits", [BATCH, NEW, vocabSize]);
  const caches = Array.from({ length: layers }, (_, layer) => {
    return new CachePorts(graph, config, layer, bigram && layer === 0 ? ids : null);
  });

  const previous = bigram
    ? previousIds(graph, { ids, positions, past: caches[0].pastIds() }, vocabSize)
    : null;
  const attentionInputs: AttentionInputs = {
    mask: attentionMask(graph, ids, present),
    rotation: rotationAt(graph, config, positions),
  };
  let x = embeddings(graph, config, { ids, previous, positions });
  for (let layer = 0; layer < layers; layer++) {
    x = graph.within(`blocks.${layer}`, () => block(graph, config, x, attentionInputs, caches[layer]));
  }
  x = graph.within("finalNorm", () => norm(graph, config, x));
  setLogits(head(graph, config, x));
  return graph.parts;
}

/** Cosines and sines of the positions' angles; null unless positions are rotary. */
function rotationAt(graph: Graph, config: GPTConfig, positions: Value): AttentionInputs["rotation"] {
  if (config.positions !== "rotary") return null;
  const { contextLength, ropeBase } = config;
  const headSize = headSizeOf(config);
  const angles = Array.from({ length: contextLength }, (_, position) =>
    anglesAt(position, headSize, ropeBase),
  );
  const at = (name: "cosines" | "sines") => {
    const values = Float32Array.from(angles.flatMap((angle) => angle[name]));
    const table = graph.table(`rotary.${name}`, [contextLength, headSize / 2], values);
    return graph.unsqueeze(positionRows(graph, config, table, positions), [2]); // (B, T, 1, D/2)
  };
  return { cosines: at("cosines"), sines: at("sines") };
}

/** The inputs and outputs for one layer's keys and values. */
class CachePorts implements LayerCache {
  readonly #graph: Graph;
  readonly #config: GPTConfig;
  /** The ids of the new tokens, if this layer's keys have a channel for them. */
  readonly #ids: Value | null;
  readonly #pastKeys: Value;
  readonly #pastValues: Value;
  readonly #setKeys: (value: Value) => void;
  readonly #setValues: (value: Value) => void;

  constructor(graph: Graph, config: GPTConfig, layer: number, ids: Value | null) {
    this.#graph = graph;
    this.#config = config;
    this.#ids = ids;
    this.#pastKeys = graph.input(`past_key_values.${layer}.key`, "float32", this.#keyShape(PAST));
    this.#pastValues = graph.input(`past_key_values.${layer}.value`, "float32", this.#valueShape(PAST));
    this.#setKeys = graph.output(`present.${layer}.key`, this.#keyShape(TOTAL));
    this.#setValues = graph.output(`present.${layer}.value`, this.#valueShape(TOTAL));
  }

  /** The ids of the cached tokens: (B, P). */
  pastIds(): Value {
    const headSize = headSizeOf(this.#config);
    const channel = this.#graph.slice(this.#graph.slice(this.#pastKeys, 1, 0, 1), 3, headSize, headSize + 1);
    return this.#graph.cast(this.#graph.squeeze(channel, [1, 3]), "int64");
  }

  appendKeys(own: Value): Value {
    const graph = this.#graph;
    const added = this.#ids === null ? own : graph.concatenate([own, this.#idChannel(this.#ids)], 3);
    const all = graph.concatenate([this.#pastKeys, added], 2);
    this.#setKeys(all);
    return this.#ids === null ? all : graph.slice(all, 3, 0, headSizeOf(this.#config));
  }

  appendValues(own: Value): Value {
    const all = this.#graph.concatenate([this.#pastValues, own], 2);
    this.#setValues(all);
    return all;
  }

  /** (B, T) → (B, H_kv, T, 1) */
  #idChannel(ids: Value): Value {
    const channel = this.#graph.unsqueeze(this.#graph.cast(ids, "float32"), [1, 3]);
    return this.#graph.expand(channel, [1, kvHeadsOf(this.#config), 1, 1]);
  }

  #keyShape(positions: string): Port["shape"] {
    const channels = headSizeOf(this.#config) + (this.#ids === null ? 0 : 1);
    return [BATCH, kvHeadsOf(this.#config), positions, channels];
  }

  #valueShape(positions: string): Port["shape"] {
    return [BATCH, kvHeadsOf(this.#config), positions, headSizeOf(this.#config)];
  }
}

function checkVocabulary({ bigram, vocabSize }: GPTConfig): void {
  if (!bigram || vocabSize <= MAX_BIGRAM_VOCABULARY) return;
  throw new ConfigError(
    `onnx: a model with \`bigram\` keeps token ids in its cache in single precision, which is exact up to ${MAX_BIGRAM_VOCABULARY}: got a vocabulary of ${vocabSize}`,
  );
}
