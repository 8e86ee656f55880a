/** The input of the first block: token, position and bigram embeddings. */
import type { GPTConfig } from "../../nn/config.ts";
import { MAX_BIGRAM_ROWS } from "../../nn/layers/bigram-embedding.ts";
import type { Graph, Value } from "./graph.ts";

/** Token ids, the ids before them and positions, (B, T) each. */
export interface TokenInputs {
  readonly ids: Value;
  /** V at the start of a sequence; null without bigrams. */
  readonly previous: Value | null;
  readonly positions: Value;
}

/** (B, T) → (B, T, C) */
export function embeddings(graph: Graph, config: GPTConfig, inputs: TokenInputs): Value {
  const { ids, previous, positions } = inputs;
  let x = graph.rows(graph.parameter("tokenEmbedding"), ids);
  if (previous !== null) {
    const rows = graph.within("bigram", () => bigramRows(graph, previous, ids, config.vocabSize));
    x = graph.add(x, graph.rows(graph.parameter("bigramEmbedding"), rows));
  }
  if (config.positions !== "learned") return x;
  return graph.add(x, positionRows(graph, config, graph.parameter("positionEmbedding"), positions));
}

/**
 * Rows of a table with one row for each position. Runtimes refuse other positions, and quote the name of the node: the
 * name says why.
 */
export function positionRows(graph: Graph, config: GPTConfig, table: Value, positions: Value): Value {
  return graph.within(`the_context_has_${config.contextLength}_tokens`, () => graph.rows(table, positions));
}

/**
 * The token before each token. That before the first one comes from the cache; at position 0 there is none.
 *
 * @param past the ids of the cached tokens (B, P)
 */
export function previousIds(
  graph: Graph,
  { ids, positions, past }: { readonly ids: Value; readonly positions: Value; readonly past: Value },
  vocabSize: number,
): Value {
  // Without cached tokens, the first token is at position 0 or padding, so any id does.
  const before = graph.slice(graph.concatenate([graph.slice(ids, 1, 0, 1), past], 1), 1, -1, END);
  const shifted = graph.concatenate([before, graph.slice(ids, 1, 0, -1)], 1);
  const isFirst = graph.compare("Equal", positions, graph.integer(0));
  return graph.where(isFirst, graph.integer(vocabSize), shifted);
}

/** The end of an axis of any length. */
const END = 2 ** 31 - 1;

/** `bigramRow` of nn/layers/bigram-embedding.ts, for 64-bit integers. */
function bigramRows(graph: Graph, previous: Value, ids: Value, vocabSize: number): Value {
  if ((vocabSize + 1) * vocabSize <= MAX_BIGRAM_ROWS) {
    return graph.add(graph.multiply(previous, graph.integer(vocabSize)), ids);
  }
  const first = multiply32(graph, previous, 0x9e3779b1);
  let hash = graph.bitwise("Xor", first, multiply32(graph, ids, 0x85ebca77));
  hash = multiply32(graph, xorShifted(graph, hash, 16), 0x85ebca6b);
  hash = multiply32(graph, xorShifted(graph, hash, 13), 0xc2b2ae35);
  return graph.bitwise("And", xorShifted(graph, hash, 16), graph.integer(MAX_BIGRAM_ROWS - 1));
}

/** The low 32 bits of a·b, for a < 2³². The halves of b are multiplied separately, so that no product exceeds 64 bits. */
function multiply32(graph: Graph, a: Value, b: number): Value {
  const low = graph.multiply(a, graph.integer(b % 65536));
  const high = graph.multiply(a, graph.integer(Math.floor(b / 65536)));
  const shifted = graph.multiply(graph.bitwise("And", high, graph.integer(65535)), graph.integer(65536));
  return graph.bitwise("And", graph.add(low, shifted), graph.integer(2 ** 32 - 1));
}

/** a ^ (a >>> bits), for a < 2³². ONNX shifts no signed numbers, so it is divided. */
function xorShifted(graph: Graph, a: Value, bits: number): Value {
  return graph.bitwise("Xor", a, graph.divide(a, graph.integer(1 << bits)));
}
