/**
 * A context is one backend, one tape, and the lifetimes of all tensors on it. There is no global context: a tensor
 * carries its own, and ops find it there.
 *
 * Tensors created inside a scope are freed when the scope closes, so a training step leaves nothing behind and the next
 * step reuses its memory. Tensors created by `persistent` or `parameter` live until the context closes.
 */

import type { Backend, Buffer } from "../backend/backend.ts";
import { ShapeError, TensorError } from "../errors.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../shape.ts";
import { checkChoice, checkTypes, describeValue } from "../util/check-types.ts";
import { type Lifetime, Storage } from "./storage.ts";
import { type Backward, type Entry, Tape } from "./tape.ts";
import { Tensor } from "./tensor.ts";

/** "grad" records ops on the tape for backward; "no-grad" does not, as in sampling and evaluation. */
export type ScopeMode = (typeof SCOPE_MODES)[number];
const SCOPE_MODES = ["grad", "no-grad"] as const;

/** A tensor that an op has just computed: its output, or the gradient of one of its inputs. See `Context.watch`. */
export interface OpResult {
  readonly op: string;
  readonly pass: "forward" | "backward";
  /** The shape of the op's output. */
  readonly shape: Shape;
  /** A copy of the numbers at that moment. */
  readonly values: Promise<ArrayLike<number>>;
}

/** Writes the initial numbers of a tensor where they are. */
export type Fill = (buffer: Buffer, backend: Backend) => void;

/** See `Context.temporaries`. */
export interface Temporaries {
  freeAllBut<T extends Tensor | null>(result: T): T;
}

/**
 * Where tensors live and ops run.
 *
 * @example
 *   const context = new Context(await openBackend());
 *   const w = context.parameter([2], [1, 2]);
 *   await context.scope("grad", () => sum(multiply(w, w)).backward());
 *   await w.grad(); // [2, 4]
 */
export class Context {
  readonly backend: Backend;
  readonly #beforeScope: (() => Promise<void>) | null;
  readonly #tape = new Tape();
  /** Storages that live until the context closes. */
  readonly #persistent = new Set<Storage>();
  /** The open scope and its storages; null outside a scope. */
  #scope: { readonly mode: ScopeMode; readonly storages: Storage[] } | null = null;
  #closed = false;
  /** null unless `watch` is running. */
  #watcher: ((made: OpResult) => void) | null = null;
  /** While watching: the storages whose gradients the current op has written. */
  #written: Storage[] = [];

  /**
   * @param beforeScope awaited before each scope opens, that is between batches and between sampled tokens. A program
   *   can hear signals there, and end what it is doing by throwing.
   */
  constructor(backend: Backend, beforeScope: (() => Promise<void>) | null = null) {
    checkTypes(
      "Context",
      { backend, beforeScope },
      { backend: ["alloc", "gemm", "read"], beforeScope: "function?" },
    );
    this.backend = backend;
    this.#beforeScope = beforeScope;
  }

  /**
   * Runs `body` in a scope. Tensors that it creates on this context are freed when it ends or fails.
   *
   * @throws TensorError if another scope is open on this context: each would free the other's tensors
   * @throws ConfigError for an unknown mode
   * @example await context.scope("grad", () => model.forward(tokens).item())
   */
  async scope<T>(mode: ScopeMode, body: () => T | Promise<T>): Promise<T> {
    checkChoice("mode", mode, SCOPE_MODES);
    checkTypes("scope", { body }, { body: "function" });
    if (this.#beforeScope !== null) await this.#beforeScope();
    if (this.#scope !== null) {
      throw new TensorError(
        "scope: another scope is already open on this context: await it first, or use a second context",
      );
    }
    const scope = { mode, storages: [] as Storage[] };
    this.#scope = scope;
    try {
      return await body();
    } finally {
      this.#tape.clear((buffer) => this.backend.free(buffer));
      for (const storage of scope.storages)
        storage.free("its scope has closed; read results inside the scope");
      this.#scope = null;
    }
  }

  /**
   * Runs `body` in a scope without a tape, for evaluation and sampling.
   *
   * @example await context.noGrad(() => model.forward(tokens).read())
   */
  noGrad<T>(body: () => T | Promise<T>): Promise<T> {
    return this.scope("no-grad", body);
  }

  /** Runs ops without recording them, inside a scope that has a tape. */
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
   * Marks the current point of a scope. `freeAllBut(x)` then frees all tensors created since, except x. With a tape it
   * does nothing, because backward needs them. A loop over layers uses it to keep the memory of a deep model flat:
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

  /** Whether ops have effects besides their outputs: entries on the tape, or calls of a watcher. */
  get recordsOps(): boolean {
    return this.#watcher !== null || this.#scope?.mode === "grad";
  }

  /**
   * A tensor that lives until it is freed or the context closes. It needs no gradient; its contents are unspecified.
   */
  persistent(shape: Shape): Tensor {
    return this.#make(shape, "persistent", false);
  }

  /**
   * A trainable tensor. It lives until it is freed or the context closes, and backward computes its gradient.
   *
   * @param values in row-major order, or a function that writes them, which saves memory if they are many
   * @example const weight = context.parameter([2, 3], [1, 2, 3, 4, 5, 6])
   */
  parameter(shape: Shape, values: ArrayLike<number> | Fill): Tensor {
    const tensor = this.#make(shape, "persistent", true);
    if (typeof values !== "function") return this.#filled("parameter", tensor, values);
    values(tensor.buffer, this.backend);
    return tensor;
  }

  /**
   * An input of a computation. It lives until the scope closes, and needs no gradient.
   *
   * @example const x = context.constant([3], [1, 2, 3])
   */
  constant(shape: Shape, values: ArrayLike<number>): Tensor {
    return this.#filled("constant", this.#make(shape, "scope", false), values);
  }

  /** For ops: an output tensor. It needs a gradient if any input does and the scope has a tape. */
  output(shape: Shape, inputs: readonly Tensor[]): Tensor {
    const recording = this.#scope?.mode === "grad";
    return this.#make(shape, "scope", recording && inputs.some((input) => input.needsGradient));
  }

  /** For ops: a buffer for the duration of one call. */
  withScratch<T>(length: number, body: (buffer: Buffer) => T): T {
    const buffer = this.backend.alloc(length);
    try {
      return body(buffer);
    } finally {
      this.backend.free(buffer);
    }
  }

  /**
   * Reports every output and gradient that the ops in `body` compute, in order. For debugging only: all of them are
   * copied, and `body` runs synchronously, so the copies exist until it returns.
   */
  watch<T>(watcher: (made: OpResult) => void, body: () => T): T {
    this.#watcher = watcher;
    try {
      return body();
    } finally {
      this.#watcher = null;
      this.#written = [];
    }
  }

  /** Called by `Storage.gradientTarget`, for `watch`. */
  gradientWritten(storage: Storage): void {
    if (this.#watcher !== null) this.#written.push(storage);
  }

  /**
   * For ops: records an op and its backward pass. The buffers in `kept` are needed by backward only. They are freed
   * after it, or with the scope; without a tape, immediately.
   */
  recordOp(op: string, output: Tensor, backward: Backward, kept: readonly Buffer[] = []): void {
    this.#watcher?.({ op, pass: "forward", shape: output.shape, values: output.read() });
    if (output.needsGradient)
      this.#tape.push({ op, output: output.storage, shape: output.shape, backward, kept });
    else for (const buffer of kept) this.backend.free(buffer);
  }

  /**
   * See `Tape.backward`.
   *
   * @throws TensorError also if root is not on this context
   */
  backward(root: Tensor): void {
    if (contextOf("backward", root) !== this) {
      throw new TensorError(
        "backward: this number lives on another context: call backward on it, or on its context",
      );
    }
    this.#written = [];
    this.#tape.backward(root, this.#differentiated());
  }

  /**
   * For ops that keep none of what `body` makes: runs it again in their backward pass, and propagates the gradient of
   * `output` through it. See ops/recompute.ts.
   */
  backwardThrough(body: () => Tensor, output: Tensor): void {
    const storages = this.#scope?.storages ?? [];
    const start = storages.length;
    this.#tape.backwardThrough(body, output, this.#differentiated());
    freeSince(storages, start, null);
  }

  /** Called by `Tensor.free`. */
  release(storage: Storage): void {
    this.#persistent.delete(storage);
  }

  /** Frees all persistent tensors. The backend stays open; closing it is up to its owner. */
  close(): void {
    for (const storage of this.#persistent) storage.free("its context has closed");
    this.#persistent.clear();
    this.#closed = true;
  }

  #differentiated(): ((entry: Entry) => void) | undefined {
    return this.#watcher === null ? undefined : (entry) => this.#showGradients(entry);
  }

  #showGradients({ op, shape }: Entry): void {
    for (const { gradient } of this.#written) {
      if (gradient !== null)
        this.#watcher?.({ op, pass: "backward", shape, values: this.backend.read(gradient) });
    }
    this.#written = [];
  }

  #make(shape: Shape, lifetime: Lifetime, needsGradient: boolean): Tensor {
    checkShape("tensor", shape);
    if (this.#closed) throw new TensorError("this context has closed and cannot create tensors");
    if (lifetime === "scope" && this.#scope === null) {
      throw new TensorError("no scope is open: run ops inside context.scope(…), which frees their results");
    }
    const storage = new Storage(this, this.backend.alloc(sizeOf(shape)), lifetime, needsGradient);
    if (lifetime === "persistent") this.#persistent.add(storage);
    else this.#scope?.storages.push(storage);
    return new Tensor(shape, storage);
  }

  #filled(op: string, tensor: Tensor, values: ArrayLike<number>): Tensor {
    checkTypes(op, { values }, { values: "numbers" });
    if (values.length !== tensor.size) {
      throw new ShapeError(
        `${op}: ${formatShape(tensor.shape)} holds ${tensor.size} numbers: got ${values.length} values`,
      );
    }
    tensor.write(values);
    return tensor;
  }
}

/** Frees all storages from index `start`, except `kept`. */
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
 * @throws TensorError if an operand is not a tensor, or two live on different contexts
 */
export function contextOf(op: string, first: Tensor, ...rest: readonly Tensor[]): Context {
  checkTensor(op, first, 1);
  for (let i = 0; i < rest.length; i++) {
    const tensor = rest[i];
    checkTensor(op, tensor, i + 2);
    if (tensor.context !== first.context) {
      throw new TensorError(
        `${op}: operands ${formatShape(first.shape)} and ${formatShape(tensor.shape)} live on different contexts; create both on the same one`,
      );
    }
  }
  return first.context;
}

function checkTensor(op: string, operand: unknown, place: number): void {
  if (operand instanceof Tensor) return;
  throw new TensorError(`${op}: operand ${place} must be a tensor: got ${describeValue(operand)}`);
}
