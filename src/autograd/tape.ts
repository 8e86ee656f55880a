/**
 * The tape: what ran, in the order in which it ran. Each entry knows how to carry the gradient of its output to
 * its inputs. Execution order is already topological, so backward walks it in reverse: no sort, no recursion.
 */
import type { Buffer } from "../backend/backend.ts";
import { TensorError } from "../errors.ts";
import { formatShape, type Shape } from "../shape.ts";
import type { Storage } from "./storage.ts";
import type { Tensor } from "./tensor.ts";

/** Carries dy, the gradient of an op's output, to the gradients of its inputs. */
export type Backward = (dy: Buffer) => void;

export interface Entry {
  readonly op: string;
  readonly output: Storage;
  /** The output's. */
  readonly shape: Shape;
  readonly backward: Backward;
  /** Memory that the op kept for its backward pass alone. */
  readonly kept: readonly Buffer[];
}

export class Tape {
  #entries: Entry[] = [];

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  /**
   * Fills in the gradient of every tensor that `root`, a single number, was computed from. Gradients add to what
   * earlier passes left in tensors that are held.
   *
   * Peak memory is a feature: as soon as an op has been differentiated, its output and the output's gradient are
   * freed, except root's own value. So the tape can be walked once.
   *
   * @param differentiated is told of each op once its gradient has gone on
   * @throws TensorError when root is not a single number, does not depend on anything that needs a gradient, or
   *   was differentiated before
   */
  backward(root: Tensor, differentiated?: (entry: Entry) => void): void {
    const { storage } = root;
    if (root.size !== 1) {
      throw new TensorError(
        `backward: starts at a single number: got ${formatShape(root.shape)}; sum it first`,
      );
    }
    if (storage.differentiated) {
      throw new TensorError(
        "backward: ran already over this tape, which is used up; compute the loss again first",
      );
    }
    if (!storage.needsGradient || storage.lifetime === "persistent") {
      throw new TensorError("backward: nothing that this number was computed from needs a gradient");
    }
    const { backend } = storage.context;
    backend.fill(storage.gradientTarget().buffer, 1);

    // An entry leaves the tape only when it is done: after an error, `clear` still finds what the rest keeps.
    for (let entry = this.#entries.at(-1); entry !== undefined; entry = this.#entries.at(-1)) {
      const { output, backward, kept } = entry;
      if (output.gradient !== null && output.freed === null) backward(output.gradient);
      differentiated?.(entry);
      this.#entries.pop();
      for (const buffer of kept) backend.free(buffer);
      output.differentiated = true;
      if (output !== storage)
        output.free("backward has used it up; read it before backward, or compute it again");
    }
  }

  /** Drops what was recorded and never differentiated. */
  clear(free: (buffer: Buffer) => void): void {
    for (const { kept } of this.#entries) kept.forEach(free);
    this.#entries = [];
  }
}
