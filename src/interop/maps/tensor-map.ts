/** A table that says where nopeek's weights are in another program's file; it is read in both directions. */
import { CheckpointError } from "../../errors.ts";
import type { GPTConfig } from "../../nn/config.ts";
import type { StoredTensor } from "../../run/safetensors.ts";
import { type Shape, sizeOf } from "../../shape.ts";
import { everyParameterShape, parameterShapes } from "../parameter-shapes.ts";
import type { Layout } from "./layouts.ts";

/** One tensor of the foreign file. */
export interface TensorRule {
  readonly foreign: string;
  /** nopeek's names: several if the foreign tensor joins them. */
  readonly own: readonly string[];
  readonly layout: Layout;
  /**
   * What a side computes with where it has no such tensor: 0 for a bias, 1 for the weight of a norm. Undefined if every
   * model has it.
   */
  readonly absent?: 0 | 1;
  /** ours = theirs · scale; default 1. The bits of both sides agree if it is a power of two. */
  readonly scale?: number;
  /** ours = theirs + shift; default 0. */
  readonly shift?: number;
}

export type TensorMap = readonly TensorRule[];

/** Tensors by name: a Map, or something that reads each when it is asked for. */
export interface TensorSource {
  get(name: string): StoredTensor | undefined;
}

/**
 * nopeek's weights as the foreign file has them, in the order of the table.
 *
 * @throws CheckpointError if a weight is missing that every model has
 */
export function toForeign(
  map: TensorMap,
  config: GPTConfig,
  tensors: TensorSource,
): Map<string, StoredTensor> {
  return foreignTensors(map, everyParameterShape(config), tensors);
}

/** The same for a model of any kind, of which `shapes` has every optional weight. */
export function foreignTensors(
  map: TensorMap,
  shapes: ReadonlyMap<string, Shape>,
  tensors: TensorSource,
): Map<string, StoredTensor> {
  const foreign = new Map<string, StoredTensor>();
  for (const rule of map) {
    const own = rule.own.map((name) => tensors.get(name) ?? absentTensor(rule, name, shapeOf(shapes, name)));
    const { shape, values } = rule.layout.toForeign(own);
    const { scale = 1, shift = 0 } = rule;
    const plain = scale === 1 && shift === 0;
    foreign.set(rule.foreign, { shape, values: plain ? values : values.map((x) => (x - shift) / scale) });
  }
  return foreign;
}

/**
 * A foreign file's weights as nopeek has them, in the order of `GPT.parameters`.
 *
 * @throws CheckpointError if a weight is missing or has another shape than the config says
 */
export function toOwn(map: TensorMap, config: GPTConfig, foreign: TensorSource): Map<string, StoredTensor> {
  return ownTensors(map, { own: parameterShapes(config), every: everyParameterShape(config) }, foreign);
}

/** The same for a model of any kind: `own` are the shapes of its weights, `every` also those of the optional ones. */
export function ownTensors(
  map: TensorMap,
  { own: wanted, every }: Readonly<Record<"own" | "every", ReadonlyMap<string, Shape>>>,
  foreign: TensorSource,
): Map<string, StoredTensor> {
  const found = new Map<string, StoredTensor>();
  for (const rule of map) {
    const shapes = rule.own.map((name) => shapeOf(every, name));
    const stored = foreign.get(rule.foreign);
    const own =
      stored === undefined
        ? rule.own.map((name, i) => absentTensor(rule, name, shapes[i]))
        : split(rule, stored, shapes);
    own.forEach((tensor, i) => {
      found.set(rule.own[i], tensor);
    });
  }
  const ordered = new Map<string, StoredTensor>();
  for (const name of wanted.keys()) {
    const tensor = found.get(name);
    if (tensor === undefined) throw new CheckpointError(`no tensor of this format holds "${name}"`);
    ordered.set(name, tensor);
  }
  return ordered;
}

function split(rule: TensorRule, stored: StoredTensor, shapes: readonly Shape[]): StoredTensor[] {
  const { scale = 1, shift = 0 } = rule;
  try {
    const own = rule.layout.toOwn(stored, shapes);
    if (scale === 1 && shift === 0) return own;
    return own.map(({ shape, values }) => ({ shape, values: values.map((x) => x * scale + shift) }));
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause;
    throw new CheckpointError(`"${rule.foreign}" ${cause.message}`, { cause });
  }
}

function shapeOf(shapes: ReadonlyMap<string, Shape>, name: string): Shape {
  const shape = shapes.get(name);
  if (shape === undefined) throw new CheckpointError(`no model with these options has a tensor "${name}"`);
  return shape;
}

function absentTensor({ foreign, absent }: TensorRule, name: string, shape: Shape): StoredTensor {
  if (absent === undefined) throw new CheckpointError(`the tensor "${foreign}" (here "${name}") is missing`);
  return { shape, values: new Float32Array(sizeOf(shape)).fill(absent) };
}
