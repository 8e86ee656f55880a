/** Kernels produce the same bits however their range is divided, which threads rely on. */
import { describe, expect, it } from "vitest";
import type { Buffer } from "../../../../src/backend/backend.ts";
import { loadKernels } from "../../../../src/backend/open.ts";
import { type KernelExports, signatures } from "../../../../src/backend/wasm/host/signatures.ts";
import { WasmBackend } from "../../../../src/backend/wasm/host/wasm-backend.ts";
import { Random } from "../../../../src/random.ts";
import { sameBits } from "../../conformance/trial.ts";
import { cases, check } from "../../conformance.ts";

const module = await loadKernels();

/** Keeps everything that is read from it. */
class Recorder extends WasmBackend {
  readonly readings: Float32Array[] = [];

  override async read(src: Buffer): Promise<Float32Array> {
    const numbers = await super.read(src);
    this.readings.push(numbers);
    return numbers;
  }
}

/** Runs each kernel in one to four parts, the last part first, and counts the parts. */
function inParts(random: Random, counted: { parts: number }) {
  return (kernels: KernelExports): KernelExports =>
    // A proxy over a copy, because the exports of an instance are frozen and a proxy may not override them.
    new Proxy(
      { ...kernels },
      {
        get: (whole, name: keyof KernelExports) => {
          const arguments_: readonly string[] = signatures[name];
          const at = arguments_.indexOf("begin");
          const kernel: (...args: number[]) => void = Reflect.get(whole, name);
          if (at < 0) return kernel;
          return (...args: number[]) => {
            const [begin, end] = args.slice(at, at + 2);
            const cuts = Array.from({ length: random.below(4) }, () => begin + random.below(end - begin + 1));
            const ends = [...cuts, end].sort((a, b) => b - a);
            ends.forEach((stop, i) => {
              kernel(...args.slice(0, at), ends[i + 1] ?? begin, stop, ...args.slice(at + 2));
              counted.parts++;
            });
          };
        },
      },
    );
}

describe("a divided kernel has the same bits", () => {
  for (const one of cases) {
    it(one.name, async () => {
      const counted = { parts: 0 };
      const whole = new Recorder(module);
      const divided = new Recorder(module, inParts(Random.of(1, one.name), counted));
      await check(one, whole);
      await check(one, divided);
      expect(divided.readings).toHaveLength(whole.readings.length);
      for (const [i, numbers] of divided.readings.entries())
        sameBits(`reading ${i}`, numbers, whole.readings[i]);
    });
  }
});
