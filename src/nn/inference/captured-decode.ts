/**
 * Decoding one token per sequence, where generation spends most of its time. Every such step makes the same kernel
 * calls; only three small arrays differ: positions, slots and key ranges (see decode-state.ts). So the calls are
 * captured once and then replayed, without the cost of ops, tensors and closures. A replayed step has the same bits as
 * a regular one.
 */
import type { Tensor } from "../../autograd/tensor.ts";
import type { CapturedCalls } from "../../backend/backend.ts";
import type { GPT } from "../gpt.ts";
import { decodeOptions } from "../inputs/block-options.ts";
import { type ForwardOptions, INFERENCE } from "../inputs/forward-options.ts";
import { checkSequences, positionsOf, type TokenBatch } from "../inputs/token-batch.ts";
import { DecodeState } from "./decode-state.ts";
import type { KVCache } from "./kv-cache.ts";

/** Steps before capturing. A search often selects another number of rows after its first step, which ends a capture. */
const STEPS_BEFORE_CAPTURE = 1;
/**
 * The key count of the first capture; it doubles when exceeded, because the division of attention among threads depends
 * on it.
 */
const FIRST_KEY_COUNT = 64;

/**
 * Logits for tokens that continue cached sequences: `model.forward`, replayed if possible.
 *
 * @param tokens (B, T)
 * @returns      (B, T, V), or (B, 1, V) with `lastOnly`; valid until the next step
 * @throws ShapeError if the cache has no room for the tokens
 */
export function decode(
  model: GPT,
  tokens: TokenBatch,
  cache: KVCache,
  options: Pick<ForwardOptions, "lastOnly">,
): Tensor {
  const oneTokenEach = positionsOf(tokens) === 1 && tokens.padding === undefined;
  if (!oneTokenEach || model.config.attention !== "fused" || model.context.recordsOps) {
    return model.forward(tokens, { cache, random: null, ...options });
  }
  if (cache.captured?.model !== model) {
    cache.captured?.free();
    cache.captured = new CapturedDecode(model, cache);
  }
  return cache.captured.step(tokens);
}

/** The captured step of one model with one cache. */
export class CapturedDecode {
  readonly model: GPT;
  readonly #cache: KVCache;
  /** The input of the blocks (B, 1, C) and the output of the head (B, 1, V). */
  readonly #input: Tensor;
  readonly #logits: Tensor;
  readonly #positions: Int32Array;
  readonly #slots: Int32Array;
  readonly #ranges: { start: number; end: number; diagonal: number }[];
  #state: DecodeState;
  #steps = 0;
  #calls: CapturedCalls | null = null;
  #canCapture = true;

  constructor(model: GPT, cache: KVCache) {
    const { batchSize } = cache;
    const { dModel, vocabSize } = model.config;
    this.model = model;
    this.#cache = cache;
    this.#input = model.context.persistent([batchSize, 1, dModel]);
    this.#logits = model.context.persistent([batchSize, 1, vocabSize]);
    this.#positions = new Int32Array(batchSize);
    this.#slots = new Int32Array(batchSize);
    this.#ranges = Array.from({ length: batchSize }, () => ({ start: 0, end: 0, diagonal: 0 }));
    this.#state = this.#stateFor(Math.min(FIRST_KEY_COUNT, cache.capacity));
  }

  /** Tokens (B, 1) → logits (B, 1, V), valid until the next step. */
  step(tokens: TokenBatch): Tensor {
    const { embeddings, config } = this.model;
    checkSequences("gpt", tokens, this.#cache.lengths, config.contextLength);
    this.#cache.checkRoom(tokens);
    this.#moveToNextPosition();
    copy(embeddings.forward(tokens, { ...INFERENCE, cache: this.#cache }), this.#input);
    if (this.#calls !== null) this.#calls.replay();
    else if (!this.#canCapture || this.#steps < STEPS_BEFORE_CAPTURE) this.#run();
    else {
      this.#calls = this.model.context.backend.capture(() => this.#run());
      this.#canCapture = this.#calls !== null;
    }
    this.#steps++;
    this.#cache.advance(tokens);
    return this.#logits;
  }

  free(): void {
    this.#calls?.free();
    this.#calls = null;
    this.#input.free();
    this.#logits.free();
  }

  /** From `#input` to `#logits`: the captured part of a step. */
  #run(): void {
    const { context, embeddings, transformer, head } = this.model;
    const temporaries = context.temporaries();
    const options = decodeOptions(this.#state, embeddings.positions, INFERENCE);
    copy(head.forward(transformer.forward(this.#input, options)), this.#logits);
    temporaries.freeAllBut(null);
  }

  /** Updates in place the arrays that the captured calls read. */
  #moveToNextPosition(): void {
    const { lengths, length, capacity } = this.#cache;
    for (let b = 0; b < lengths.length; b++) {
      this.#positions[b] = lengths[b];
      this.#slots[b] = b * capacity + lengths[b];
      this.#ranges[b].end = lengths[b] + 1;
      this.#ranges[b].diagonal = lengths[b];
    }
    let { keyCount } = this.#state;
    if (length < keyCount) return;
    while (keyCount <= length) keyCount *= 2;
    this.#state = this.#stateFor(Math.min(keyCount, capacity));
    this.#calls?.free();
    this.#calls = null;
  }

  #stateFor(keyCount: number): DecodeState {
    const [positions, slots, ranges] = [this.#positions, this.#slots, this.#ranges];
    return new DecodeState(this.#cache, { positions, slots, ranges, keyCount });
  }
}

function copy(from: Tensor, to: Tensor): void {
  const whole = (tensor: Tensor) => ({ buffer: tensor.buffer, offset: 0, strides: [1] });
  to.context.backend.copy(whole(to), whole(from), [to.size], false);
}
