/**
 * Which model class of Hugging Face's transformers computes the same as a GPT with these options. The classes are used
 * as they are ("stock"), so that a folder loads without code of ours. Each line of the table was checked against the
 * class: see scripts/interop/check_hf.py.
 */
import { ConfigError } from "../errors.ts";
import type { GPTConfig, ModelConfig } from "../nn/config.ts";
import { sizesOf } from "./sizes.ts";

/** The architectures; where several are equally near, the first is named. */
export const ARCHITECTURE_NAMES = [
  "Llama",
  "Qwen3",
  "GPT2",
  "GPTNeoX",
  "Arcee",
  "SmolLM3",
  "OLMo",
  "VaultGemma",
] as const;

export type ArchitectureName = (typeof ARCHITECTURE_NAMES)[number];

/** An option that an architecture does not have. */
export interface Obstacle {
  readonly setting: string;
  readonly value: Value;
  /** The values that the architecture has. */
  readonly allowed: readonly Value[];
}

/** No architecture has the options of a model. */
export interface Misfit {
  readonly name: null;
  /** The architecture with the fewest obstacles. */
  readonly nearest: ArchitectureName | "Blenderbot";
  readonly obstacles: readonly Obstacle[];
  /** The preset whose models are most like this one and have an architecture. */
  readonly preset: "gpt2-style" | "llama-style" | "modern-portable" | "reverse";
}

export type Fit = { readonly name: ArchitectureName } | Misfit;

type Value = string | number | boolean;

/** The options that set architectures apart; numbers that no class limits are words. */
interface Options {
  readonly positions: GPTConfig["positions"];
  readonly norm: GPTConfig["norm"];
  readonly activation: GPTConfig["activation"];
  readonly bias: boolean;
  readonly normWeights: boolean;
  readonly qkNorm: boolean;
  readonly bigram: boolean;
  readonly logitCap: 0 | "above 0";
  readonly kvHeads: "heads" | number;
  readonly headSize: "dModel / heads" | number;
  readonly dModel: "a multiple of heads" | number;
  readonly normEpsilon: number;
  readonly tieHead: boolean;
}

/** The values of each option that an architecture has; it has every value of the others. */
type Allowed = { readonly [Name in keyof Options]?: readonly Options[Name][] };

const EVERY: Allowed = { bigram: [false], logitCap: [0], qkNorm: [false] };
const UNGATED: Allowed = { activation: ["gelu", "gelu-tanh", "relu2"] };
const GPT: Allowed = {
  ...EVERY,
  ...UNGATED,
  norm: ["layer"],
  kvHeads: ["heads"],
  headSize: ["dModel / heads"],
};
const LLAMA: Allowed = {
  ...EVERY,
  positions: ["rotary"],
  norm: ["rms"],
  activation: ["swiglu"],
  dModel: ["a multiple of heads"],
};

/** The one class of encoder–decoders with norms before the layers, and after the last. */
const BLENDERBOT: Allowed = {
  ...GPT,
  positions: ["learned", "none"],
  normEpsilon: [1e-5],
  tieHead: [true],
};

interface Architecture {
  readonly allowed: Allowed;
  readonly preset: Misfit["preset"];
}

const ARCHITECTURES: Readonly<Record<ArchitectureName, Architecture>> = {
  GPT2: { allowed: { ...GPT, positions: ["learned", "none"] }, preset: "gpt2-style" },
  GPTNeoX: { allowed: { ...GPT, positions: ["rotary"] }, preset: "gpt2-style" },
  Llama: { allowed: LLAMA, preset: "llama-style" },
  Qwen3: { allowed: { ...LLAMA, qkNorm: [true], bias: [false] }, preset: "modern-portable" },
  Arcee: { allowed: { ...LLAMA, ...UNGATED }, preset: "llama-style" },
  SmolLM3: { allowed: { ...LLAMA, positions: ["none"] }, preset: "llama-style" },
  OLMo: {
    allowed: { ...LLAMA, norm: ["layer"], normWeights: [false], bias: [false], normEpsilon: [1e-5] },
    preset: "llama-style",
  },
  VaultGemma: { allowed: { ...LLAMA, bias: [false], logitCap: ["above 0"] }, preset: "llama-style" },
};

/**
 * The architecture of a model, or what the nearest does not have.
 *
 * @example fitArchitecture({ ...GPT2_STYLE, ...sizes }) // { name: "GPT2" }
 */
export function fitArchitecture(config: GPTConfig): Fit {
  const options = optionsOf(config);
  const fits = ARCHITECTURE_NAMES.map((name) => ({
    name,
    obstacles: obstaclesTo(ARCHITECTURES[name].allowed, options),
  }));
  const best = fits.reduce((best, fit) => (fit.obstacles.length < best.obstacles.length ? fit : best));
  if (best.obstacles.length === 0) return { name: best.name };
  return {
    name: null,
    nearest: best.name,
    obstacles: best.obstacles,
    preset: ARCHITECTURES[best.name].preset,
  };
}

/** @throws ConfigError if no architecture has the options of the model; the message says which ones, and what helps */
export function architectureOf(config: GPTConfig): ArchitectureName {
  const fit = fitArchitecture(config);
  if (fit.name === null) throw new ConfigError(describeMisfit(fit));
  return fit.name;
}

/**
 * What an encoder–decoder has that Blenderbot's class does not; null if that computes the same.
 *
 * @example encoderDecoderMisfit(config) // null for the presets reverse and sort
 */
export function encoderDecoderMisfit(config: ModelConfig): Misfit | null {
  const obstacles = obstaclesTo(BLENDERBOT, optionsOf({ ...config, bigram: false, logitCap: 0 }));
  if (obstacles.length === 0) return null;
  return { name: null, nearest: "Blenderbot", obstacles, preset: "reverse" };
}

/**
 * Why a model has no architecture, and what helps.
 *
 * @param nameOption how a setting and a value are written
 */
export function describeMisfit(
  { nearest, obstacles, preset }: Misfit,
  nameOption = (setting: string, value: Value) => `\`${setting}\` ${value}`,
): string {
  const needs = obstacles.map(({ setting, value, allowed }) => {
    const [first, ...others] = allowed;
    return `${[nameOption(setting, first), ...others].join(" or ")}, not ${value}`;
  });
  const others = nearest === "Blenderbot" ? "" : ", and an ONNX file can hold every gpt";
  return `no stock architecture of other programs has the options of this model; the nearest, ${nearest}, needs ${needs.join("; ")}. Models of \`preset\` ${preset} have one${others}`;
}

function optionsOf(config: GPTConfig): Options {
  const { heads, dModel, logitCap } = config;
  const { kvHeads, headSize } = sizesOf(config);
  return {
    ...config,
    logitCap: logitCap === 0 ? 0 : "above 0",
    kvHeads: kvHeads === heads ? "heads" : kvHeads,
    headSize: headSize * heads === dModel ? "dModel / heads" : headSize,
    dModel: dModel % heads === 0 ? "a multiple of heads" : dModel,
  };
}

function obstaclesTo(allowed: Allowed, options: Options): Obstacle[] {
  const values: ReadonlyMap<string, Value> = new Map(Object.entries(options));
  return Object.entries(allowed).flatMap(([setting, possible]: [string, readonly Value[]]) => {
    const value = values.get(setting);
    return value === undefined || possible.includes(value) ? [] : [{ setting, value, allowed: possible }];
  });
}
