/**
 * Captures kernel calls and replays them as a unit. kernels/replay.ts executes the list without returning to the host,
 * on one or more threads, so the host's work around each call is done only once.
 */
import type { CapturedCalls } from "../../backend.ts";
import type { Heap, WasmBuffer } from "../host/heap.ts";
import type { HostArrays, KeptArrays } from "../host/host-arrays.ts";
import type { HostKernels } from "../host/instance.ts";
import { argumentsOf, type KernelExports, type KernelName, kernelNames } from "../host/signatures.ts";
import { sharingOf } from "../threads/work-estimate.ts";

const bytesPerWord = 4;
/** The kernels that can be captured: those used without a tape, in the order of the cases in kernels/replay.ts. */
// biome-ignore format: one name per line would be a long list.
const capturable = [
  "gemm", "attention", "unaryExp", "unaryLog", "unarySqrt", "unaryTanh", "unaryRelu", "unaryRelu2", "unarySilu", "unaryGelu",
  "unaryGeluTanh", "binaryAdd", "binarySubtract", "binaryMultiply", "binaryDivide", "scale", "copyBlock", "rotateRows",
  "gatherRows", "scatterRows", "sumRows", "sumColumns", "maxRows", "maxColumns", "softmaxRows", "logSoftmaxRows",
  "normalizeRows",
] as const satisfies readonly KernelName[];
const cases: ReadonlyMap<KernelName, number> = new Map(capturable.map((name, i) => [name, i]));
/** Arguments that are floats; the others are integers. */
const floatArguments: readonly string[] = ["factor", "epsilon"];
/** Word offsets of the fields of `Program` and `Step` in kernels/replay.ts. */
const programWords = { ticket: 0, done: 1, steps: 2, threads: 3, head: 4 } as const;
const stepWords = { kernel: 0, chunks: 1, grain: 2, begin: 3, end: 4, arguments: 5, all: 20 } as const;
/** Kernels with less work run on one thread. Lower than for single calls, because a replay need not wake threads. */
const LEAST_WORK = 16_384;

type Kernel = (...args: number[]) => void;

interface Step {
  readonly kernel: KernelName;
  readonly args: readonly number[];
  /** A copy of `Heap.parameters`, for kernels that have too many arguments. */
  readonly words: Int32Array | null;
}

export class Recorder {
  /** The plain kernels. */
  readonly kernels: KernelExports;
  /** The same kernels, which also record each call. */
  readonly capturing: KernelExports;
  readonly #heap: Heap;
  readonly #hostArrays: HostArrays;
  readonly #host: HostKernels;
  #steps: Step[] = [];
  #isComplete = true;

  /** @param host the kernels that a replay takes from the host */
  constructor(heap: Heap, hostArrays: HostArrays, kernels: KernelExports, host: HostKernels = {}) {
    this.#heap = heap;
    this.#host = host;
    this.#hostArrays = hostArrays;
    this.kernels = kernels;
    this.capturing = Object.assign(
      { ...kernels },
      ...kernelNames.map((name) => ({ [name]: this.#capturing(name) })),
    );
  }

  /**
   * Runs `body`, which must call the kernels in `capturing`.
   *
   * @returns null if the calls alone would not repeat the effect of `body`: the host accessed memory meanwhile, or a
   *   kernel was called that cannot be captured
   */
  capture(body: () => void): CapturedCalls | null {
    const accesses = this.#heap.hostAccesses;
    this.#steps = [];
    this.#isComplete = true;
    let release = () => {};
    const arrays = this.#hostArrays.keepDuring(() => {
      release = this.#heap.isolated(body);
    });
    if (this.#isComplete && this.#heap.hostAccesses === accesses) {
      return new WasmCapturedCalls(this.#heap, this.kernels, this.#host, this.#steps, arrays, release);
    }
    arrays.free();
    release();
    return null;
  }

  #capturing(name: KernelName): Kernel {
    const kernel: Kernel = this.kernels[name];
    const canBeCaptured = cases.has(name);
    const takesWords = argumentsOf(name)[0] === "parameters";
    return (...args) => {
      this.#isComplete &&= canBeCaptured;
      const words = takesWords ? this.#heap.parameterWords.slice() : null;
      this.#steps.push({ kernel: name, args, words });
      kernel(...args);
    };
  }
}

class WasmCapturedCalls implements CapturedCalls {
  readonly #heap: Heap;
  readonly #kernels: Pick<KernelExports, "replay">;
  readonly #arrays: KeptArrays;
  readonly #release: () => void;
  readonly #program: WasmBuffer;
  /** This view stays valid, because shared memory grows but never moves. */
  readonly #words: Int32Array;
  readonly #end: number;
  /** The number of threads that take part. */
  #threads = 1;

  constructor(
    heap: Heap,
    kernels: Pick<KernelExports, "replay">,
    host: HostKernels,
    steps: readonly Step[],
    arrays: KeptArrays,
    release: () => void,
  ) {
    this.#heap = heap;
    this.#kernels = kernels;
    this.#arrays = arrays;
    this.#release = release;
    const parameters = steps.reduce((sum, { words }) => sum + (words?.length ?? 0), 0);
    const listed = programWords.head + stepWords.all * steps.length;
    this.#program = heap.alloc(listed + parameters);
    this.#words = new Int32Array(heap.memory.buffer, this.#program.pointer, listed + parameters);
    this.#end = lastTicket(steps.length);
    this.#layOut(steps, listed, host);
  }

  replay(): void {
    this.#arrays.refresh();
    const words = this.#words;
    words[programWords.ticket] = 0;
    words[programWords.done] = 0;
    // Threads return when they find no work for a while, so one call may not finish the list.
    do {
      this.#kernels.replay(this.#program.pointer, 0, this.#threads, this.#heap.scratch(0));
    } while (words[programWords.ticket] < this.#end);
  }

  free(): void {
    this.#heap.free(this.#program);
    this.#arrays.free();
    this.#release();
  }

  /** @param parametersAt the word offset at which copies of parameters begin */
  #layOut(steps: readonly Step[], parametersAt: number, host: HostKernels): void {
    const words = this.#words;
    const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
    words[programWords.steps] = steps.length;
    let at: number = programWords.head;
    let nextParameters = parametersAt;
    for (const { kernel, args, words: parameters } of steps) {
      const names = argumentsOf(kernel);
      const begin = names.indexOf("begin");
      const share = sharingOf(kernel, this.#heap.threads, LEAST_WORK)(args, parameters ?? words);
      const index = cases.get(kernel) ?? 0;
      words[at + stepWords.kernel] = kernel in host ? ~index : index;
      if (share.chunks > 1) this.#threads = this.#heap.threads;
      words[at + stepWords.chunks] = share.chunks;
      words[at + stepWords.grain] = share.grain;
      words[at + stepWords.begin] = args[begin];
      words[at + stepWords.end] = args[begin + 1];
      for (let i = 0; i < begin; i++) {
        const numbers = floatArguments.includes(names[i]) ? floats : words;
        numbers[at + stepWords.arguments + i] = args[i];
      }
      if (parameters !== null) {
        words[at + stepWords.arguments] = this.#program.pointer + bytesPerWord * nextParameters;
        words.set(parameters, nextParameters);
        nextParameters += parameters.length;
      }
      at += stepWords.all;
    }
    words[programWords.threads] = this.#threads;
  }
}

/** Steps are counted in units of 256 chunks; see kernels/replay.ts. */
function lastTicket(steps: number): number {
  return 256 * steps;
}
