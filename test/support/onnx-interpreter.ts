/**
 * Evaluates ONNX graphs: plain loops in double precision for the operators that a GPT needs, as the ONNX documentation
 * defines them. It knows nothing about the exporter. https://onnx.ai/onnx/operators/
 */
import { erf } from "../../src/math.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "./onnx-reader.ts";

export type Values = ReadonlyMap<string, OnnxTensor>;

/** The graph's outputs. Every input must be there, with the lengths that the graph declares. */
export function runOnnx(model: OnnxModel, inputs: Values): Map<string, OnnxTensor> {
  const known = new Map<string, OnnxTensor>([...model.initializers]);
  for (const { name, shape } of model.inputs) {
    const value = inputs.get(name);
    if (value === undefined) throw new Error(`no input ${name}`);
    const fits =
      shape.length === value.shape.length &&
      shape.every((length, i) => typeof length === "string" || length === value.shape[i]);
    if (!fits) throw new Error(`input ${name} has shape [${value.shape}], not [${shape}]`);
    known.set(name, value);
  }
  for (const node of model.nodes) {
    const operands = node.inputs.map((name) => {
      const value = known.get(name);
      if (value === undefined) throw new Error(`${node.op} reads ${name} before it is written`);
      return value;
    });
    known.set(node.outputs[0], evaluate(node, operands));
  }
  return new Map(model.outputs.map(({ name }) => [name, known.get(name) ?? missing(name)]));
}

function missing(name: string): never {
  throw new Error(`no node writes ${name}`);
}

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  And: (a, b) => a * b,
  Equal: (a, b) => Number(a === b),
  LessOrEqual: (a, b) => Number(a <= b),
  BitwiseAnd: (a, b) => Number(BigInt(a) & BigInt(b)),
  BitwiseXor: (a, b) => Number(BigInt(a) ^ BigInt(b)),
};

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Identity: (x) => x,
  Erf: erf,
  Relu: (x) => Math.max(0, x),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Sqrt: Math.sqrt,
  Tanh: Math.tanh,
};

function evaluate({ op, attributes }: OnnxNode, inputs: readonly OnnxTensor[]): OnnxTensor {
  const [x, y, z] = inputs;
  const integer = (name: string) => Number(attributes.get(name));
  if (op in UNARY) return { shape: x.shape, values: x.values.map(UNARY[op]) };
  if (op in BINARY) return elementwise([x, y], ([a, b]) => BINARY[op](a, b));
  switch (op) {
    case "Div":
      // Only integers are divided by a scalar constant.
      return elementwise([x, y], ([a, b]) => (y.shape.length === 0 ? Math.trunc(a / b) : a / b));
    case "Where":
      return elementwise([x, y, z], ([condition, a, b]) => (condition === 0 ? b : a));
    case "Cast":
      return { shape: x.shape, values: x.values.map((a) => castTo(integer("to"), a)) };
    case "Shape":
      return { shape: [x.shape.length], values: Float64Array.from(x.shape) };
    case "Range": {
      const [from, to, step] = inputs.map(({ values }) => values[0]);
      const count = Math.max(0, Math.ceil((to - from) / step));
      return { shape: [count], values: Float64Array.from({ length: count }, (_, i) => from + i * step) };
    }
    case "Reshape":
      return { shape: reshaped(x, y.values), values: x.values };
    case "Squeeze":
      return { shape: x.shape.filter((_, i) => !y.values.includes(i)), values: x.values };
    case "Unsqueeze": {
      const shape = [...x.shape];
      for (const axis of y.values) shape.splice(axis, 0, 1);
      return { shape, values: x.values };
    }
    case "Expand":
      return elementwise(
        [x, { shape: [...y.values], values: new Float64Array(sizeOf([...y.values])) }],
        ([a]) => a,
      );
    case "Transpose": {
      const order = attributes.get("perm");
      if (typeof order !== "object") throw new Error("Transpose needs perm");
      return pick(
        order.map((axis) => x.shape[axis]),
        x,
        (index) => {
          const from = new Array<number>(index.length);
          order.forEach((axis, i) => {
            from[axis] = index[i];
          });
          return from;
        },
      );
    }
    case "Slice": {
      const axis = inputs[3].values[0];
      const length = x.shape[axis];
      const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + length : at, 0), length);
      const [start, end] = [clamp(y.values[0]), clamp(z.values[0])];
      const shape = x.shape.with(axis, Math.max(0, end - start));
      return pick(shape, x, (index) => index.with(axis, index[axis] + start));
    }
    case "Concat":
      return inputs.reduce((a, b) => joined(a, b, integer("axis")));
    case "Gather": {
      const row = x.shape.slice(1);
      const size = sizeOf(row);
      const values = [...y.values].flatMap((i) => {
        if (i < 0 || i >= x.shape[0]) throw new Error(`Gather: no row ${i} of ${x.shape[0]}`);
        return [...x.values.subarray(i * size, (i + 1) * size)];
      });
      return { shape: [...y.shape, ...row], values: Float64Array.from(values) };
    }
    case "ReduceMean":
      return overRows(x, 1, (row) => [row.reduce((sum, a) => sum + a, 0) / row.length]);
    case "Softmax":
      return overRows(x, x.shape[x.shape.length - 1], (row) => {
        const max = row.reduce((a, b) => Math.max(a, b));
        const powers = row.map((a) => Math.exp(a - max));
        const sum = powers.reduce((a, b) => a + b, 0);
        return powers.map((power) => power / sum);
      });
    case "MatMul":
      return product(x, y);
  }
  throw new Error(`no operator ${op}`);
}

/** ONNX's numbers for element types: 1 float32, 7 int64, 9 bool. */
function castTo(type: number, a: number): number {
  if (type === 9) return Number(a !== 0);
  return type === 7 ? Math.trunc(a) : Math.fround(a);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** The offset of an index; axes of length 1 repeat, and missing ones in front too. */
function offsetIn({ shape }: OnnxTensor, index: readonly number[]): number {
  const skipped = index.length - shape.length;
  return shape.reduce(
    (offset, length, axis) => offset * length + (length === 1 ? 0 : index[axis + skipped]),
    0,
  );
}

/** Every index of a shape, in row-major order. */
function indicesOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, length) => all.flatMap((index) => Array.from({ length }, (_, i) => [...index, i])),
    [[]],
  );
}

/** A tensor whose element at `index` is that of x at `from(index)`. */
function pick(
  shape: readonly number[],
  x: OnnxTensor,
  from: (index: number[]) => readonly number[],
): OnnxTensor {
  return {
    shape,
    values: Float64Array.from(indicesOf(shape), (index) => x.values[offsetIn(x, from(index))]),
  };
}

function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const length = lengths.find((length) => length !== 1) ?? 1;
    if (lengths.some((other) => other !== 1 && other !== length))
      throw new Error(`shapes ${JSON.stringify(shapes)}`);
    return length;
  });
}

function elementwise(inputs: readonly OnnxTensor[], f: (operands: number[]) => number): OnnxTensor {
  const shape = broadcast(inputs.map((input) => input.shape));
  const values = indicesOf(shape).map((index) => {
    return f(inputs.map((input) => input.values[offsetIn(input, index)]));
  });
  return { shape, values: Float64Array.from(values) };
}

function reshaped(x: OnnxTensor, wanted: Float64Array): number[] {
  const shape = [...wanted].map((length, axis) => (length === 0 ? x.shape[axis] : length));
  const rest = x.values.length / Math.abs(sizeOf(shape));
  const result = shape.map((length) => (length === -1 ? rest : length));
  if (sizeOf(result) !== x.values.length) throw new Error(`[${x.shape}] does not reshape to [${wanted}]`);
  return result;
}

function joined(a: OnnxTensor, b: OnnxTensor, axisOrNegative: number): OnnxTensor {
  const axis = axisOrNegative < 0 ? axisOrNegative + a.shape.length : axisOrNegative;
  const length = a.shape[axis];
  const fits = a.shape.every((size, i) => i === axis || size === b.shape[i]);
  if (!fits) throw new Error(`[${a.shape}] and [${b.shape}] do not join along axis ${axis}`);
  const values = indicesOf(a.shape.with(axis, length + b.shape[axis])).map((index) =>
    index[axis] < length
      ? a.values[offsetIn(a, index)]
      : b.values[offsetIn(b, index.with(axis, index[axis] - length))],
  );
  return { shape: a.shape.with(axis, length + b.shape[axis]), values: Float64Array.from(values) };
}

/** Replaces each row of the last axis. */
function overRows(x: OnnxTensor, width: number, f: (row: Float64Array) => Iterable<number>): OnnxTensor {
  const length = x.shape[x.shape.length - 1];
  const rows = Array.from({ length: x.values.length / length }, (_, i) =>
    x.values.slice(i * length, (i + 1) * length),
  );
  return { shape: x.shape.with(-1, width), values: Float64Array.from(rows.flatMap((row) => [...f(row)])) };
}

function product(a: OnnxTensor, b: OnnxTensor): OnnxTensor {
  const [rows, inner] = a.shape.slice(-2);
  const [also, columns] = b.shape.slice(-2);
  if (inner !== also) throw new Error(`[${a.shape}] times [${b.shape}]`);
  const shape = [...broadcast([a.shape.slice(0, -2), b.shape.slice(0, -2)]), rows, columns];
  const values = indicesOf(shape).map((index) => {
    const [batch, row, column] = [index.slice(0, -2), index[index.length - 2], index[index.length - 1]];
    const [fromA, fromB] = [offsetIn(a, [...batch, row, 0]), offsetIn(b, [...batch, 0, column])];
    let sum = 0;
    for (let i = 0; i < inner; i++) sum += a.values[fromA + i] * b.values[fromB + i * columns];
    return sum;
  });
  return { shape, values: Float64Array.from(values) };
}
