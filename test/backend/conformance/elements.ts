/** Memory, and kernels that process each element separately. */
import type { AdamWStep, BinaryName, UnaryName } from "../../../src/backend/backend.ts";
import { Random, type RandomState } from "../../../src/random.ts";
import { type Case, sameBits, specials } from "./trial.ts";

const mapNames: readonly UnaryName[] = [
  "exp",
  "log",
  "sqrt",
  "tanh",
  "relu",
  "relu2",
  "silu",
  "gelu",
  "gelu-tanh",
];
const zipNames: readonly BinaryName[] = ["add", "subtract", "multiply", "divide"];

const maps: Case[] = mapNames.map((name) => ({
  name: `map ${name}`,
  async check(trial) {
    const x = trial.buffer(trial.wild(trial.length(), specials));
    const y = trial.pick([trial.output(x.numbers.length), x]);
    trial.run((backend, of) => backend.unary(name, of(y), of(x)));
    const roundings = name === "relu" ? 0 : trial.tolerance.functions;
    // The error of Φ(x) in x·Φ(x) is relative to 1, however small Φ(x) is.
    const isProduct = name === "silu" || name === "gelu" || name === "gelu-tanh";
    await trial.near("y", y, isProduct ? { roundings, scale: x.numbers } : { roundings });
  },
}));

/** The scale of the error of f′(x): its magnitude or, if it is a difference, that of the terms. */
const derivatives: Record<UnaryName, (x: number, y: number) => number> = {
  exp: (_x, y) => y,
  log: (x) => 1 / x,
  sqrt: (_x, y) => 0.5 / y,
  tanh: (_x, y) => 1 + y * y,
  relu: () => 1,
  relu2: (x) => 2 * x,
  silu: () => 2,
  gelu: () => 2,
  "gelu-tanh": () => 2,
};

const mapsBackward: Case[] = mapNames.map((name) => ({
  name: `unaryBackward ${name}`,
  async check(trial) {
    const x = trial.buffer(trial.wild(trial.length(), specials));
    const value = trial.output(x.numbers.length);
    trial.runTruth((backend, of) => backend.unary(name, of(value), of(x)));
    const y = trial.buffer(await trial.truth(value));
    const dy = trial.noise(x.numbers.length);
    const dx = trial.output(x.numbers.length);
    const accumulate = trial.flip();
    trial.run((backend, of) => {
      backend.unaryBackward(name, { buffer: of(dx), accumulate }, of(dy), of(x), of(y));
    });
    const scale = dy.numbers.map((derivative, i) => {
      const change = Math.abs(derivative * derivatives[name](x.numbers[i], y.numbers[i]));
      return accumulate ? change + Math.abs(dx.numbers[i]) : change;
    });
    await trial.near("dx", dx, { roundings: trial.tolerance.functions, scale });
  },
}));

const mapsWithDerivative: Case[] = (["gelu", "gelu-tanh"] as const).map((name) => ({
  name: `geluWithDerivative ${name}`,
  async check(trial) {
    const x = trial.buffer(trial.wild(trial.length(), specials));
    const n = x.numbers.length;
    const [y, derivative] = [trial.output(n), trial.pick([trial.output(n), x])];
    const [plain, one, plainDerivative] = [
      trial.output(n),
      trial.buffer(new Float32Array(n).fill(1)),
      trial.output(n),
    ];
    trial.run((backend, of) => {
      backend.unary(name, of(plain), of(x));
      backend.unaryBackward(
        name,
        { buffer: of(plainDerivative), accumulate: false },
        of(one),
        of(x),
        of(plain),
      );
      backend.geluWithDerivative(name, of(y), of(derivative), of(x));
    });
    // Same bits as the two separate kernels, which are compared with the reference above.
    sameBits("y", await trial.tested(y), await trial.tested(plain));
    sameBits("derivative", await trial.tested(derivative), await trial.tested(plainDerivative));
    await trial.near("y", y, { roundings: trial.tolerance.functions, scale: x.numbers });
    await trial.near("derivative", derivative, {
      roundings: trial.tolerance.functions,
      scale: x.numbers.map(() => 2),
    });
  },
}));

const zips: Case[] = zipNames.map((name) => ({
  name: `binary ${name}`,
  async check(trial) {
    const n = trial.length();
    const a = trial.buffer(trial.wild(n, specials));
    // b has the same length as a, or divides it and is repeated.
    const fractions = [1, 1, 2, 3, 5].filter((times) => n % times === 0);
    const b = trial.buffer(trial.wild(n / trial.pick(fractions), specials));
    const accumulate = trial.flip();
    const mayBe = b.numbers.length === n ? [a, b] : [a];
    const y = accumulate ? trial.output(n) : trial.pick([trial.output(n), ...mayBe]);
    const value = trial.output(n);
    trial.runTruth((backend, of) =>
      backend.binary(name, { buffer: of(value), accumulate: false }, of(a), of(b)),
    );
    const values = await trial.truth(value);
    trial.run((backend, of) => backend.binary(name, { buffer: of(y), accumulate }, of(a), of(b)));
    const scale = y.numbers.map((old, i) => Math.abs(values[i]) + (accumulate ? Math.abs(old) : 0));
    const roundings = name === "divide" ? trial.tolerance.functions : 2;
    await trial.near("y", y, { roundings, scale });
  },
}));

const scale: Case = {
  name: "scale",
  async check(trial) {
    const x = trial.buffer(trial.wild(trial.length(), specials));
    const y = trial.output(x.numbers.length);
    const factor = Math.fround(trial.random.normal());
    const accumulate = trial.flip();
    trial.run((backend, of) => backend.scale({ buffer: of(y), accumulate }, of(x), factor));
    const bound = x.numbers.map((value, i) => Math.abs(factor * value) + Math.abs(y.numbers[i]));
    await trial.near("y", y, { roundings: 2, scale: bound });
  },
};

const fillNormal: Case = {
  name: "fillNormal",
  async check(trial) {
    const { random } = trial;
    // Long enough, at times, for several threads.
    const y = trial.output(trial.pick([trial.length(), 20_000 + random.below(20_000)]));
    const deviation = trial.pick([0, 0.02, 1, -3, 1e-30]);
    const state = Random.of(random.uint32(), "fillNormal").state();
    const ends: RandomState[] = [];
    trial.run((backend, of) => {
      ends.push(backend.fillNormal(of(y), deviation, state));
    });
    await trial.same("y", y);
    if (JSON.stringify(ends[0]) !== JSON.stringify(ends[1])) {
      throw new Error(`state: got ${JSON.stringify(ends[0])}, expected ${JSON.stringify(ends[1])}`);
    }
  },
};

const dropout: Case = {
  name: "dropout",
  async check(trial) {
    // Includes NaN: a dropped element becomes 0 whatever it was.
    const x = trial.buffer(trial.wild(trial.length(), [Number.NaN, Number.POSITIVE_INFINITY, 0]));
    const y = trial.output(x.numbers.length);
    const accumulate = trial.flip();
    const dropping = {
      probability: trial.pick([0, 0.1, 0.5, 0.93]),
      key: [trial.random.uint32(), trial.random.uint32()] as const,
    };
    trial.run((backend, of) => backend.dropout({ buffer: of(y), accumulate }, of(x), dropping));
    const bound = x.numbers.map((value, i) => {
      return Math.abs(value / (1 - dropping.probability)) + Math.abs(y.numbers[i]);
    });
    await trial.near("y", y, { roundings: 3, scale: bound });
  },
};

const adamw: Case = {
  name: "adamw",
  async check(trial) {
    // Includes more parameters than fit into a backend's table.
    const targets = Array.from({ length: trial.pick([0, 1, 2, 5, 53]) }, () => {
      const n = trial.length();
      const moment2 = trial.buffer(trial.normals(n).map((value) => (trial.flip() ? value * value : 0)));
      const [parameter, gradient, moment1] = [trial.noise(n), trial.noise(n), trial.noise(n)];
      return { parameter, gradient, moment1, moment2, weightDecay: trial.pick([0, 0.1, 0.3]) };
    });
    const steps = 1 + trial.random.below(50);
    const step: AdamWStep = {
      learningRate: trial.random.uniform(),
      beta1: 0.9,
      beta2: 0.97,
      epsilon: 1e-8,
      correction1: 1 - 0.9 ** steps,
      correction2: 1 - 0.97 ** steps,
      gradientScale: trial.pick([1, 0.125, 3]),
    };
    trial.run((backend, of) => {
      const buffers = targets.map(({ parameter, gradient, moment1, moment2, weightDecay }) => ({
        ...{ parameter: of(parameter), gradient: of(gradient), weightDecay },
        ...{ moment1: of(moment1), moment2: of(moment2) },
      }));
      backend.adamw(buffers, step);
    });
    for (const { parameter, gradient, moment1, moment2 } of targets) {
      const g = gradient.numbers.map((value) => Math.abs(step.gradientScale * value));
      const scale1 = moment1.numbers.map((old, i) => Math.abs(old) + g[i]);
      const scale2 = moment2.numbers.map((old, i) => old + g[i] * g[i]);
      await trial.near("moment1", moment1, { roundings: 4, scale: scale1 });
      await trial.near("moment2", moment2, { roundings: 4, scale: scale2 });
      const second = await trial.truth(moment2);
      const rate = step.learningRate / step.correction1;
      const bound = parameter.numbers.map((old, i) => {
        const deviation = Math.sqrt(second[i] / step.correction2) + step.epsilon;
        return Math.abs(old) + (rate * scale1[i]) / deviation;
      });
      const roundings = 8 + 2 * trial.tolerance.functions;
      await trial.near("parameter", parameter, { roundings, scale: bound });
    }
  },
};

const memory: Case = {
  name: "fill, write, read",
  async check(trial) {
    const x = trial.buffer(trial.wild(trial.length(), specials));
    const part = trial.normals(trial.random.below(x.numbers.length + 1)).map(Math.fround);
    const before = Float32Array.from(await trial.tested(x));
    const read = await trial.tested(x);
    if (trial.flip()) trial.run((backend, of) => backend.fill(of(x), part[0] ?? Number.NaN));
    trial.run((backend, of) => backend.write(of(x), part, x.numbers.length - part.length));
    await trial.same("x", x);
    if (before.some((number, i) => !Object.is(number, read[i]))) {
      throw new Error("the result of read changes with the memory it was read from");
    }
  },
};

const alone: Case = {
  name: "map: an element has the same bits wherever it stands",
  async check(trial) {
    const name = trial.pick(mapNames);
    const x = trial.buffer(trial.wild(trial.length(1), specials));
    const n = x.numbers.length;
    const first = trial.random.below(n);
    const y = trial.output(n);
    const rest = trial.buffer(x.numbers.subarray(first));
    const restY = trial.output(n - first);
    trial.run((backend, of) => {
      backend.unary(name, of(y), of(x));
      backend.unary(name, of(restY), of(rest));
    });
    sameBits("element", await trial.tested(restY), (await trial.tested(y)).slice(first));
  },
};

export const elementCases: readonly Case[] = [
  ...maps,
  ...mapsBackward,
  ...mapsWithDerivative,
  ...zips,
  scale,
  dropout,
  fillNormal,
  adamw,
  memory,
  alone,
];
