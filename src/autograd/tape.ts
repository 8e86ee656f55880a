/**
 * The tape lists ops in the order they ran, each with a closure that propagates the gradient from its output to its
 * inputs. Execution order is already topological, so backward just walks the tape in reverse: no sorting, no recursion.
 */
import type { Buffer } from "../backend/backend.ts";
import { TensorError } from "../errors.ts";
import { formatShape, type Shape } from "../shape.ts";
import type { Storage } from "./storage.ts";
import type { Tensor } from "./tensor.ts";

/** Adds to the gradients of an op's inputs, given dy, the gradient of its output. */
export type Backward = (dy: Buffer) => void;

export interface Entry {
  readonly op: string;
  readonly output: Storage;
  /** The shape of the output. */
  readonly shape: Shape;
  readonly backward: Backward;
  /** Buffers that only backward needs. */
  readonly kept: readonly Buffer[];
}

export class Tape {
  #entries: Entry[] = [];

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  /**
   * Computes the gradient of every tensor that `root`, a single number, depends on. Gradients of persistent tensors add
   * to those of earlier passes.
   *
   * To keep peak memory low, the output of each op and its gradient are freed as soon as backward has passed the op.
   * Only root's value stays. So a tape can be walked once.
   *
   * @param differentiated called after the backward pass of each op
   * @throws TensorError if root is not a single number, does not depend on anything that needs a gradient, or was
   *   differentiated before
   */
  backward(root: Tensor, differentiated?: (entry: Entry) => void): void {
    const { storage } = root;
    if (root.size !== 1) {
      throw new TensorError(
        `backward: must start at a single number: got ${formatShape(root.shape)}; sum it first`,
      );
    }
    if (storage.differentiated) {
      throw new TensorError("backward: this tape was already differentiated; compute the loss again first");
    }
    if (!storage.needsGradient || storage.lifetime === "persistent") {
      throw new TensorError("backward: this number does not depend on anything that needs a gradient");
    }
    storage.context.backend.fill(storage.gradientTarget().buffer, 1);
    this.#walk(0, storage, differentiated);
  }

  /**
   * For the backward pass of an op that computes its output again: runs `body` and walks what it records, from the
   * gradient of `output`, which has the numbers of the result of `body`.
   */
  backwardThrough(body: () => Tensor, output: Tensor, differentiated?: (entry: Entry) => void): void {
    const start = this.#entries.length;
    const { storage } = body();
    storage.shareGradient(output.storage);
    this.#walk(start, null, differentiated);
  }

  /** Walks the entries from the last down to index `start`. */
  #walk(start: number, root: Storage | null, differentiated?: (entry: Entry) => void): void {
    // An entry is removed only when it is done, so that after an error `clear` still frees what the others keep.
    while (this.#entries.length > start) {
      const entry = this.#entries[this.#entries.length - 1];
      const { output, backward, kept } = entry;
      if (output.gradient !== null && output.freed === null) backward(output.gradient);
      differentiated?.(entry);
      this.#entries.pop();
      for (const buffer of kept) output.context.backend.free(buffer);
      output.differentiated = true;
      if (output !== root) output.free("backward has freed it; read it before backward, or compute it again");
    }
  }

  /** Discards entries that were never differentiated. */
  clear(free: (buffer: Buffer) => void): void {
    for (const { kept } of this.#entries) kept.forEach(free);
    this.#entries = [];
  }
}
