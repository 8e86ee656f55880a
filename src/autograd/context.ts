/**
 * A context: one backend, one tape, and the lifetimes of every tensor on it. There is no global one: a tensor
 * carries its context, and ops find it there.
 *
 * What is made inside a scope is freed when the scope closes, so a training step leaves nothing behind and its
 * memory is used again by the next. What is made by `hold` or `parameter` stays until the context closes.
 */
import type { Backend, Buffer } from "../backend/backend.ts";
import { ShapeError, TensorError } from "../errors.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../shape.ts";
import { type Lifetime, Storage } from "./storage.ts";
import { type Backward, type Entry, Tape } from "./tape.ts";
import { Tensor } from "./tensor.ts";

/** "grad" keeps a tape for backward; "no-grad" runs ops alone, as sampling and evaluation do. */
export type ScopeMode = "grad" | "no-grad";

/** What an op has just made: its output, or the gradient that it brought to one of its inputs. */
export interface OpResult {
  readonly op: string;
  readonly pass: "forward" | "backward";
  /** Of the op's output. */
  readonly shape: Shape;
  /** A copy of the numbers, as they were then. */
  readonly values: Promise<ArrayLike<number>>;
}

/** See `Context.temporaries`. */
export interface Temporaries {
  freeAllBut<T extends Tensor | null>(result: T): T;
}

export class Context {
  readonly backend: Backend;
  readonly #tape = new Tape();
  /** What lives until the context closes. */
  readonly #persistent = new Set<Storage>();
  /** What lives until the scope closes; null outside a scope. */
  #scope: { readonly mode: ScopeMode; readonly storages: Storage[] } | null = null;
  #closed = false;
  /** null where nobody watches. */
  #watcher: ((made: OpResult) => void) | null = null;
  /** While somebody watches, whose gradients the op that is being differentiated has written. */
  #reached: Storage[] = [];

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /**
   * Runs `body`; what it made on this context is freed when it ends, also when it fails.
   *
   * @throws TensorError while another scope is open on this context: the two would free each other's tensors
   */
  async scope<T>(mode: ScopeMode, body: () => T | Promise<T>): Promise<T> {
    if (this.#scope !== null) {
      throw new TensorError(
        "scope: another scope is open on this context; await its end, or use a second context",
      );
    }
    const scope = { mode, storages: [] as Storage[] };
    this.#scope = scope;
    try {
      return await body();
    } finally {
      this.#tape.clear((buffer) => this.backend.free(buffer));
      for (const storage of scope.storages)
        storage.free("its scope has closed; read what you need inside the scope");
      this.#scope = null;
    }
  }

  /** As `scope("no-grad", body)`: no tape, so no gradients. For evaluation and sampling. */
  noGrad<T>(body: () => T | Promise<T>): Promise<T> {
    return this.scope("no-grad", body);
  }

  /** Runs ops whose gradient nobody needs, inside a scope that keeps a tape. */
  withoutTape<T>(body: () => T): T {
    const scope = this.#scope;
    if (scope === null) return body();
    this.#scope = { ...scope, mode: "no-grad" };
    try {
      return body();
    } finally {
      this.#scope = scope;
    }
  }

  /**
   * Marks a point in a scope. Without a tape, `freeAllBut(x)` frees everything made since, except x; under a tape it
   * does nothing, since backward needs it all. In a loop over layers it keeps the memory of a deep model flat:
   *
   *   const temporaries = context.temporaries();
   *   for (const block of blocks) x = temporaries.freeAllBut(block.forward(x));
   */
  temporaries(): Temporaries {
    const scope = this.#scope;
    const start = scope?.storages.length ?? 0;
    return {
      freeAllBut(result) {
        if (scope?.mode === "no-grad") freeSince(scope.storages, start, result?.storage ?? null);
        return result;
      },
    };
  }

  /** Whether ops leave more behind than their outputs: an entry on the tape, or a report to a watcher. */
  get recordsOps(): boolean {
    return this.#watcher !== null || this.#scope?.mode === "grad";
  }

  /** A tensor that lives until it is freed or the context closes, and needs no gradient. Contents unspecified. */
  persistent(shape: Shape): Tensor {
    return this.#make(shape, "persistent", false);
  }

  /** A tensor that is trained: held, and given a gradient by backward. */
  parameter(shape: Shape, values: ArrayLike<number>): Tensor {
    return this.#filled("parameter", this.#make(shape, "persistent", true), values);
  }

  /** Numbers that enter a computation, for the length of the scope. */
  constant(shape: Shape, values: ArrayLike<number>): Tensor {
    return this.#filled("constant", this.#make(shape, "scope", false), values);
  }

  /** For ops: an output, for the length of the scope. It needs a gradient when any input does. */
  output(shape: Shape, inputs: readonly Tensor[]): Tensor {
    const recording = this.#scope?.mode === "grad";
    return this.#make(shape, "scope", recording && inputs.some((input) => input.needsGradient));
  }

  /** For ops: memory that backward will need; hand it to `record`, which sees to it that it is freed. */
  saveForBackward(values: ArrayLike<number>): Buffer {
    const buffer = this.backend.alloc(values.length);
    this.backend.write(buffer, values);
    return buffer;
  }

  /** For ops: memory for the length of one call. */
  withScratch<T>(length: number, body: (buffer: Buffer) => T): T {
    const buffer = this.backend.alloc(length);
    try {
      return body(buffer);
    } finally {
      this.backend.free(buffer);
    }
  }

  /**
   * Shows everything that the ops in `body` make, in order. For finding faults: all of it is copied, and held until
   * the ops of the body, which run without a pause, are done.
   */
  watch<T>(watcher: (made: OpResult) => void, body: () => T): T {
    this.#watcher = watcher;
    try {
      return body();
    } finally {
      this.#watcher = null;
      this.#reached = [];
    }
  }

  /** For `Storage.gradientTarget`. */
  gradientWritten(storage: Storage): void {
    if (this.#watcher !== null) this.#reached.push(storage);
  }

  /**
   * For ops: what was computed, and how its gradient goes back. `kept` is memory that only backward needs; it is
   * freed once backward has run, or with the scope.
   */
  recordOp(op: string, output: Tensor, backward: Backward, kept: readonly Buffer[] = []): void {
    this.#watcher?.({ op, pass: "forward", shape: output.shape, values: output.read() });
    if (output.needsGradient)
      this.#tape.push({ op, output: output.storage, shape: output.shape, backward, kept });
    else for (const buffer of kept) this.backend.free(buffer);
  }

  /** See `Tape.backward`. */
  backward(root: Tensor): void {
    this.#reached = [];
    if (this.#watcher === null) this.#tape.backward(root);
    else this.#tape.backward(root, (entry) => this.#showGradients(entry));
  }

  /** For `Tensor.free`. */
  release(storage: Storage): void {
    this.#persistent.delete(storage);
  }

  /** Frees everything that is held. The backend stays open: who opened it closes it. */
  close(): void {
    for (const storage of this.#persistent) storage.free("its context has closed");
    this.#persistent.clear();
    this.#closed = true;
  }

  #showGradients({ op, shape }: Entry): void {
    for (const { gradient } of this.#reached) {
      if (gradient !== null)
        this.#watcher?.({ op, pass: "backward", shape, values: this.backend.read(gradient) });
    }
    this.#reached = [];
  }

  #make(shape: Shape, lifetime: Lifetime, needsGradient: boolean): Tensor {
    if (this.#closed) throw new TensorError("this context has closed; nothing can be made on it");
    if (lifetime === "scope" && this.#scope === null) {
      throw new TensorError(
        "no scope is open: run ops inside context.scope(…), so that what they make is freed",
      );
    }
    checkShape("tensor", shape);
    const storage = new Storage(this, this.backend.alloc(sizeOf(shape)), lifetime, needsGradient);
    if (lifetime === "persistent") this.#persistent.add(storage);
    else this.#scope?.storages.push(storage);
    return new Tensor(shape, storage);
  }

  #filled(op: string, tensor: Tensor, values: ArrayLike<number>): Tensor {
    if (values.length !== tensor.size) {
      throw new ShapeError(
        `${op}: ${formatShape(tensor.shape)} holds ${tensor.size} numbers: got ${values.length} values`,
      );
    }
    tensor.write(values);
    return tensor;
  }
}

/** Frees the storages from `start` on, except one. */
function freeSince(storages: Storage[], start: number, kept: Storage | null): void {
  let count = start;
  for (let i = start; i < storages.length; i++) {
    if (storages[i] === kept) storages[count++] = kept;
    else
      storages[i].free(
        "it was a temporary of a forward pass without a tape; read it before the next layer runs",
      );
  }
  storages.length = count;
}

/**
 * The context that all operands of an op share.
 *
 * @throws TensorError when two operands live on different contexts
 */
export function contextOf(op: string, first: Tensor, ...rest: readonly Tensor[]): Context {
  for (const tensor of rest) {
    if (tensor.context !== first.context) {
      throw new TensorError(
        `${op}: operands ${formatShape(first.shape)} and ${formatShape(tensor.shape)} live on two contexts; make both on one`,
      );
    }
  }
  return first.context;
}
