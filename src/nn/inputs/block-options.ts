import type { Mask } from "../../backend/backend.ts";
import { DecodeState } from "../inference/decode-state.ts";
import type { Positions } from "../layers/positions.ts";
import type { BlockOptions, ForwardOptions } from "./forward-options.ts";
import { paddingMask } from "./mask.ts";
import { positionsIn, positionsOf, type TokenBatch } from "./token-batch.ts";

/** Works out what the blocks need to know about a forward pass over these tokens. */
export function blockOptions(
  tokens: TokenBatch,
  { cache, random, maskMatrix }: ForwardOptions,
  { mask, positions }: { readonly mask: Mask; readonly positions: Positions },
): BlockOptions {
  if (cache !== null) return decodeOptions(DecodeState.of(cache, tokens), positions, { random, maskMatrix });
  const { angles } = positions;
  return {
    random,
    maskMatrix,
    mask: paddingMask(mask, tokens.padding, positionsOf(tokens)),
    rotation: angles === null ? null : { angles, positions: positionsIn(tokens, []) },
    decode: null,
  };
}

/** The same for a decoding step. */
export function decodeOptions(
  decode: DecodeState,
  { angles }: Positions,
  { random, maskMatrix }: Pick<BlockOptions, "random" | "maskMatrix">,
): BlockOptions {
  const rotation = angles === null ? null : { angles, positions: decode.positions };
  return { random, maskMatrix, mask: decode.ranges, rotation, decode };
}
