/**
 * A context: one backend, one tape, and the lifetimes of every tensor on it. There is no global one: a tensor
 * carries its context, and ops find it there.
 *
 * What is made inside a scope is freed when the scope closes, so a training step leaves nothing behind and its
 * memory is used again by the next. What is made by `hold` or `parameter` stays until the context closes.
 */
import type { Backend, Buffer, CapturedCalls } from "../backend/backend.ts";
import { ShapeError, TensorError } from "../errors.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../shape.ts";
import { type Backward, type Entry, Tape } from "./tape.ts";
import { type Lifetime, Storage, Tensor } from "./tensor.ts";

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

export class Context {
  readonly backend: Backend;
  readonly #tape = new Tape();
  /** What lives until the context closes. */
  readonly #held = new Set<Storage>();
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

  /**
   * Parts of a computation, each of which looks at nothing of the ones before but what the last one hands on. Where no
   * tape is kept, all else that they made is freed when a part ends: so a long pass takes the memory of its longest part.
   *
   * @param tensorsOf those that are handed on
   */
  handingOn<T>(
    first: T,
    parts: readonly ((before: T) => T)[],
    tensorsOf: (state: T) => readonly Tensor[],
  ): T {
    const scope = this.#scope;
    const made = scope?.mode === "no-grad" ? scope.storages : null;
    const start = made?.length ?? 0;
    let state = first;
    for (const part of parts) {
      state = part(state);
      if (made !== null) keepOnly(made, start, tensorsOf(state));
    }
    return state;
  }

  /** A part of a computation that leaves its result in tensors that are held. Without a tape, all that it made goes. */
  freeingAll(body: () => void): void {
    const scope = this.#scope;
    const before = scope?.storages.length ?? 0;
    body();
    if (scope?.mode === "no-grad") keepOnly(scope.storages, before, []);
  }

  /**
   * As `freeingAll`, and notes the kernel calls, to be made again whenever what the body reads holds other numbers.
   *
   * @returns null where they cannot be: see `Backend.record`
   */
  noting(body: () => void): CapturedCalls | null {
    if (this.#scope?.mode === "no-grad" && !this.isWatched) {
      return this.backend.capture(() => this.freeingAll(body));
    }
    this.freeingAll(body);
    return null;
  }

  /** Whether somebody is shown what ops make, so that they must run. */
  get isWatched(): boolean {
    return this.#watcher !== null;
  }

  /** A tensor that lives until it is freed or the context closes, and needs no gradient. Contents unspecified. */
  persistent(shape: Shape): Tensor {
    return this.#make(shape, "held", false);
  }

  /** A tensor that is trained: held, and given a gradient by backward. */
  parameter(shape: Shape, values: ArrayLike<number>): Tensor {
    return this.#filled("parameter", this.#make(shape, "held", true), values);
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
    this.#held.delete(storage);
  }

  /** Frees everything that is held. The backend stays open: who opened it closes it. */
  close(): void {
    for (const storage of this.#held) storage.free("its context has closed");
    this.#held.clear();
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
    if (lifetime === "held") this.#held.add(storage);
    else this.#scope?.storages.push(storage);
    return new Tensor(shape, storage);
  }

  #filled(op: string, tensor: Tensor, values: ArrayLike<number>): Tensor {
    if (values.length !== tensor.size) {
      throw new ShapeError(
        `${op}: ${formatShape(tensor.shape)} holds ${tensor.size} numbers: got ${values.length} values`,
      );
    }
    this.backend.write(tensor.buffer, values);
    return tensor;
  }
}

/** Frees what was made from `start` on, but for the storages of some tensors. */
function keepOnly(storages: Storage[], start: number, tensors: readonly Tensor[]): void {
  let kept = start;
  for (let i = start; i < storages.length; i++) {
    if (tensors.some(({ storage }) => storage === storages[i])) storages[kept++] = storages[i];
    else storages[i].free("it belonged to a part of the pass that is over; read it there");
  }
  storages.length = kept;
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
