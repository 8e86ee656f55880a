/**
 * Builds an ONNX graph. Each method adds one node and returns its result, so a layer of the graph reads like the layer
 * of the model in nn/.
 */
import { ConfigError } from "../../errors.ts";
import type { StoredTensor } from "../../run/safetensors.ts";
import {
  ELEMENT_TYPES,
  type ElementType,
  type GraphParts,
  type Initializer,
  type Node,
  type Port,
} from "./messages.ts";

/** The name of a tensor in the graph. */
export type Value = string;

export class Graph {
  readonly #tensors: ReadonlyMap<string, StoredTensor>;
  readonly #initializers = new Map<string, Initializer>();
  readonly #nodes: Node[] = [];
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];
  /** The path of the part that is being built, "" or ending in a dot. */
  #path = "";

  /** @param tensors the weights, by the model's names */
  constructor(tensors: ReadonlyMap<string, StoredTensor>) {
    this.#tensors = tensors;
  }

  get parts(): GraphParts {
    return {
      initializers: [...this.#initializers.values()],
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }

  /** Builds a part of the model. In it, the names of parameters and nodes start with the name of the part. */
  within<Result>(name: string, build: () => Result): Result {
    const outer = this.#path;
    this.#path = `${outer}${name}.`;
    try {
      return build();
    } finally {
      this.#path = outer;
    }
  }

  input(name: string, type: ElementType, shape: Port["shape"]): Value {
    this.#inputs.push({ name, type, shape });
    return name;
  }

  /** Adds an output. The result is a function that sets its value, later, so that outputs are in any order. */
  output(name: string, shape: Port["shape"]): (value: Value) => void {
    this.#outputs.push({ name, type: "float32", shape });
    return (value) => {
      this.#nodes.push({ op: "Identity", inputs: [value], output: name, attributes: {} });
    };
  }

  /** A weight of the part that is being built. */
  parameter(name: string): Value {
    const path = this.#path + name;
    const tensor = this.#tensors.get(path);
    if (tensor === undefined) throw new ConfigError(`onnx: the model has no tensor ${path}`);
    return this.table(path, tensor.shape, tensor.values);
  }

  /** A constant tensor of numbers, by its full name. */
  table(name: string, shape: readonly number[], values: Float32Array): Value {
    this.#initializers.set(name, { name, shape, values });
    return name;
  }

  number(value: number): Value {
    return this.table(`float_${value}`, [], Float32Array.of(value));
  }

  integer(value: number): Value {
    return this.#integers(`integer_${value}`, [], [value]);
  }

  integers(values: readonly number[]): Value {
    return this.#integers(`integers_${values.join("_")}`, [values.length], values);
  }

  add(a: Value, b: Value): Value {
    return this.#node("Add", [a, b]);
  }

  subtract(a: Value, b: Value): Value {
    return this.#node("Sub", [a, b]);
  }

  multiply(a: Value, b: Value): Value {
    return this.#node("Mul", [a, b]);
  }

  /** Of integers: rounded toward zero. */
  divide(a: Value, b: Value): Value {
    return this.#node("Div", [a, b]);
  }

  matmul(a: Value, b: Value): Value {
    return this.#node("MatMul", [a, b]);
  }

  unary(op: "Erf" | "Relu" | "Sigmoid" | "Sqrt" | "Tanh", x: Value): Value {
    return this.#node(op, [x]);
  }

  bitwise(op: "And" | "Xor", a: Value, b: Value): Value {
    return this.#node(`Bitwise${op}`, [a, b]);
  }

  compare(op: "Equal" | "LessOrEqual", a: Value, b: Value): Value {
    return this.#node(op, [a, b]);
  }

  both(a: Value, b: Value): Value {
    return this.#node("And", [a, b]);
  }

  where(condition: Value, a: Value, b: Value): Value {
    return this.#node("Where", [condition, a, b]);
  }

  cast(x: Value, type: ElementType): Value {
    return this.#node("Cast", [x], { to: ELEMENT_TYPES[type] });
  }

  /** The mean over the last axis, which keeps length 1. */
  mean(x: Value): Value {
    return this.#node("ReduceMean", [x, this.integers([-1])], { keepdims: 1 });
  }

  /** Over the last axis. */
  softmax(x: Value): Value {
    return this.#node("Softmax", [x], { axis: -1 });
  }

  /** Rows of a table: (R, C) and indices (…) → (…, C). */
  rows(table: Value, indices: Value): Value {
    return this.#node("Gather", [table, indices], { axis: 0 });
  }

  /** One length of a shape, as a scalar. */
  length(x: Value, axis: number): Value {
    return this.#node("Gather", [this.#node("Shape", [x]), this.integer(axis)], { axis: 0 });
  }

  /** The integers from … to − 1. */
  range(from: Value, to: Value): Value {
    return this.#node("Range", [from, to, this.integer(1)]);
  }

  /** A length of 0 keeps the axis's length; −1 takes what is left. */
  reshape(x: Value, shape: readonly number[]): Value {
    return this.#node("Reshape", [x, this.integers(shape)]);
  }

  transpose(x: Value, order: readonly number[]): Value {
    return this.#node("Transpose", [x], { perm: order });
  }

  unsqueeze(x: Value, axes: readonly number[]): Value {
    return this.#node("Unsqueeze", [x, this.integers(axes)]);
  }

  squeeze(x: Value, axes: readonly number[]): Value {
    return this.#node("Squeeze", [x, this.integers(axes)]);
  }

  /** Repeats axes of length 1; a length of 1 keeps an axis as it is. */
  expand(x: Value, shape: readonly number[]): Value {
    return this.#node("Expand", [x, this.integers(shape)]);
  }

  concatenate(parts: readonly Value[], axis: number): Value {
    return this.#node("Concat", parts, { axis });
  }

  /** Elements start … end − 1 of an axis. Negative numbers count from its end. */
  slice(x: Value, axis: number, start: number, end: number): Value {
    return this.#node("Slice", [x, this.integers([start]), this.integers([end]), this.integers([axis])]);
  }

  #node(op: string, inputs: readonly Value[], attributes: Node["attributes"] = {}): Value {
    const output = `${this.#path}${op}.${this.#nodes.length}`;
    this.#nodes.push({ op, inputs, output, attributes });
    return output;
  }

  #integers(name: string, shape: readonly number[], values: readonly number[]): Value {
    this.#initializers.set(name, { name, shape, values: BigInt64Array.from(values, BigInt) });
    return name;
  }
}
