/**
 * Kernel calls that are noted down while they are made, and made again as one: kernels/replay.ts walks through the
 * list without the host in between, on one thread or on several. What a call costs besides its kernel is paid once.
 */
import type { CapturedCalls } from "../../backend.ts";
import type { Heap, WasmBuffer } from "../host/heap.ts";
import { argumentsOf, type KernelExports, type KernelName, kernelNames } from "../host/signatures.ts";
import { sharingOf } from "../threads/work-estimate.ts";

const bytesPerWord = 4;
/** What can be noted: the kernels of a pass without a tape, in the order of the cases in kernels/replay.ts. */
// biome-ignore format: one name a line would be a long list.
const recorded = [
  "gemm", "attention", "unaryExp", "unaryLog", "unarySqrt", "unaryTanh", "unaryRelu", "unaryRelu2", "unarySilu", "unaryGelu",
  "unaryGeluTanh", "binaryAdd", "binarySubtract", "binaryMultiply", "binaryDivide", "scale", "copyBlock", "rotateRows",
  "gatherRows", "scatterRows", "sumRows", "sumColumns", "maxRows", "maxColumns", "softmaxRows", "logSoftmaxRows",
  "normalizeRows", "addAndNormalizeRows",
] as const satisfies readonly KernelName[];
const places: ReadonlyMap<KernelName, number> = new Map(recorded.map((name, place) => [name, place]));
/** Arguments that are no whole numbers. */
const fractions: readonly string[] = ["factor", "epsilon"];
/** Words of `Program` and `Step` of kernels/replay.ts. */
const programWords = { ticket: 0, done: 1, steps: 2, threads: 3, head: 4 } as const;
const stepWords = { kernel: 0, chunks: 1, grain: 2, begin: 3, end: 4, arguments: 5, all: 20 } as const;
/** Work below this much is done sooner alone (see thread-work.ts), where nobody has to be woken for it. */
const LEAST_WORK = 16_384;

type Kernel = (...args: number[]) => void;

interface Step {
  readonly kernel: KernelName;
  readonly args: readonly number[];
  /** The words at the address that the first argument is, for kernels whose arguments are too many. */
  readonly words: Int32Array | null;
}

export class Recorder {
  /** Those that calls go to, and those that note them besides. */
  readonly kernels: KernelExports;
  readonly noting: KernelExports;
  readonly #heap: Heap;
  #steps: Step[] = [];
  #isComplete = true;

  constructor(heap: Heap, kernels: KernelExports) {
    this.#heap = heap;
    this.kernels = kernels;
    this.noting = Object.assign(
      { ...kernels },
      ...kernelNames.map((name) => ({ [name]: this.#noting(name) })),
    );
  }

  /**
   * Runs `body`, whose calls go to `noting`.
   *
   * @returns null where the calls alone would not do the same again: the host wrote or read numbers meanwhile, or a
   *          kernel was called that cannot be noted
   */
  record(body: () => void): CapturedCalls | null {
    const accesses = this.#heap.hostAccesses;
    this.#steps = [];
    this.#isComplete = true;
    const release = this.#heap.apart(body);
    if (this.#isComplete && this.#heap.hostAccesses === accesses) {
      return new WasmRecording(this.#heap, this.kernels, this.#steps, release);
    }
    release();
    return null;
  }

  #noting(name: KernelName): Kernel {
    const kernel: Kernel = this.kernels[name];
    const canBeNoted = places.has(name);
    const takesWords = argumentsOf(name)[0] === "parameters";
    return (...args) => {
      this.#isComplete &&= canBeNoted;
      const words = takesWords ? this.#heap.parameterWords.slice() : null;
      this.#steps.push({ kernel: name, args, words });
      kernel(...args);
    };
  }
}

class WasmRecording implements CapturedCalls {
  readonly #heap: Heap;
  readonly #kernels: Pick<KernelExports, "replay">;
  readonly #release: () => void;
  readonly #program: WasmBuffer;
  /** This view holds: shared memory grows, but never moves. */
  readonly #words: Int32Array;
  readonly #end: number;
  /** How many threads take part. */
  #threads = 1;

  constructor(
    heap: Heap,
    kernels: Pick<KernelExports, "replay">,
    steps: readonly Step[],
    release: () => void,
  ) {
    this.#heap = heap;
    this.#kernels = kernels;
    this.#release = release;
    const parameters = steps.reduce((sum, { words }) => sum + (words?.length ?? 0), 0);
    const listed = programWords.head + stepWords.all * steps.length;
    this.#program = heap.alloc(listed + parameters);
    this.#words = new Int32Array(heap.memory.buffer, this.#program.pointer, listed + parameters);
    this.#end = lastTicket(steps.length);
    this.#lay(steps, listed);
  }

  replay(): void {
    const words = this.#words;
    words[programWords.ticket] = 0;
    words[programWords.done] = 0;
    // A thread that had long nothing to do has gone, and the list may not be at its end.
    do {
      this.#kernels.replay(this.#program.pointer, 0, this.#threads, this.#heap.scratch(0));
    } while (words[programWords.ticket] < this.#end);
  }

  free(): void {
    this.#heap.free(this.#program);
    this.#release();
  }

  /** @param free where words for parameters begin */
  #lay(steps: readonly Step[], free: number): void {
    const words = this.#words;
    const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
    words[programWords.steps] = steps.length;
    let at: number = programWords.head;
    let parametersAt = free;
    for (const { kernel, args, words: parameters } of steps) {
      const names = argumentsOf(kernel);
      const begin = names.indexOf("begin");
      const share = sharingOf(kernel, this.#heap.threads, LEAST_WORK)(args, parameters ?? words);
      words[at + stepWords.kernel] = places.get(kernel) ?? 0;
      if (share.chunks > 1) this.#threads = this.#heap.threads;
      words[at + stepWords.chunks] = share.chunks;
      words[at + stepWords.grain] = share.grain;
      words[at + stepWords.begin] = args[begin];
      words[at + stepWords.end] = args[begin + 1];
      for (let i = 0; i < begin; i++) {
        const numbers = fractions.includes(names[i]) ? floats : words;
        numbers[at + stepWords.arguments + i] = args[i];
      }
      if (parameters !== null) {
        words[at + stepWords.arguments] = this.#program.pointer + bytesPerWord * parametersAt;
        words.set(parameters, parametersAt);
        parametersAt += parameters.length;
      }
      at += stepWords.all;
    }
    words[programWords.threads] = this.#threads;
  }
}

/** Steps are counted in units of 256 chunks: see kernels/replay.ts. */
function lastTicket(steps: number): number {
  return 256 * steps;
}
