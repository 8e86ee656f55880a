import type { Mask } from "../../backend/backend.ts";
import { DecodeState } from "../inference/decode-state.ts";
import type { Positions } from "../layers/positions.ts";
import type { BlockOptions, ForwardOptions } from "./forward-options.ts";
import { paddingMask } from "./mask.ts";
import { positionsIn, positionsOf, type TokenBatch } from "./token-batch.ts";

/** The options of the blocks for a forward pass over these tokens. */
export function blockOptions(
  tokens: TokenBatch,
  { cache, ...given }: ForwardOptions,
  { mask, positions }: { readonly mask: Mask; readonly positions: Positions },
): BlockOptions {
  if (cache !== null) return decodeOptions(DecodeState.of(cache, tokens), positions, given);
  const { angles } = positions;
  return {
    ...given,
    mask: paddingMask(mask, tokens.padding, positionsOf(tokens)),
    rotation: angles === null ? null : { angles, positions: positionsIn(tokens, []) },
    decode: null,
  };
}

/** The options of the blocks for a decoding step. */
export function decodeOptions(
  decode: DecodeState,
  { angles }: Positions,
  given: Pick<BlockOptions, "random" | "maskMatrix" | "lastOnly">,
): BlockOptions {
  const rotation = angles === null ? null : { angles, positions: decode.positions };
  return { ...given, mask: decode.ranges, rotation, decode };
}
