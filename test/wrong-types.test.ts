/**
 * Every export of the library, called from JavaScript with arguments of a wrong type: each call ends in an error of
 * nopeek that names the argument, not in a TypeError from somewhere inside.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import * as library from "../src/index.ts";
import * as ops from "../src/ops/index.ts";

const {
  Context,
  CharTokenizer,
  GPT,
  GPT2_STYLE,
  Encoder,
  EncoderDecoder,
  NopeekError,
  PLAIN_SAMPLING,
  Random,
  ToyTask,
} = library;

/** One value of each kind that JavaScript can pass. */
const values = {
  undefined: undefined,
  null: null,
  number: 3,
  text: "3",
  true: true,
  object: {},
  array: [],
  texts: ["a", "b"],
  function: () => {},
} as const;
type Kind = keyof typeof values;

interface Argument {
  readonly name: string;
  /** A value that works. */
  readonly valid: unknown;
  /** The kinds that fit, or that another check refuses. */
  readonly fits: readonly Kind[];
  /** How an error names it, if not by its name. */
  readonly named?: RegExp;
}

interface Call {
  readonly name: string;
  readonly run: (...args: unknown[]) => unknown;
  readonly args: readonly Argument[];
}

const backend = await library.openBackend("reference");
const context = new Context(backend);
const tokenizer = CharTokenizer.fromText("abcdefghij");
const ids = tokenizer.encode("abcdefghij".repeat(5));
const settings = library.resolveSettings(library.presetOf("tiny").settings, { contextLength: 4, steps: 1 });
const config = { ...library.gptConfigOf(settings, 10), ...GPT2_STYLE };
const random = () => Random.of(1, "wrong types");
const model = new GPT(context, config, random());
const encoder = new Encoder(context, config, random());
const pairs = new EncoderDecoder(context, config, random());
const toy = { task: "reverse", alphabetSize: 10, minLength: 3, maxLength: 4, seed: 1 } as const;
const task = new ToyTask(toy);
const size = { contextLength: 4, batchSize: 2, seed: 1 };
const batch = { ids: [1, 2], batchSize: 1 };
const runConfig = { settings, tokenizer, corpus: null };
afterAll(() => context.close());

const arg = (name: string, valid: unknown, fits: readonly Kind[] = [], named?: RegExp): Argument => {
  return { name, valid, fits, ...(named !== undefined && { named }) };
};
const text = (name: string, valid: string) => arg(name, valid, ["text"]);
const number = (name: string, valid: number) => arg(name, valid, ["number"]);
const numbers = (name: string, valid: unknown) => arg(name, valid, ["array"]);
/** Left out if it is undefined. */
const optional = ({ name, valid, fits, named }: Argument) => arg(name, valid, [...fits, "undefined"], named);
const object = (name: string, valid: object) => arg(name, valid);

/** Calls a function, or constructs a class, with any arguments. */
const calling =
  (callee: (...args: never[]) => unknown) =>
  (...args: unknown[]) =>
    Reflect.apply(callee, undefined, args);
const constructing =
  (made: new (...args: never[]) => object) =>
  (...args: unknown[]) =>
    Reflect.construct(made, args);

/** A call whose last argument is an object of options, each of which is tried too. */
function withOptions(
  name: string,
  run: Call["run"],
  args: readonly Argument[],
  options: readonly Argument[],
): Call[] {
  const valid = Object.fromEntries(options.map((option) => [option.name, option.valid]));
  const before = args.map((argument) => argument.valid);
  /** Without a needed option, the error names the option. */
  const fits: Kind[] = options.every((option) => option.fits.includes("undefined"))
    ? ["object", "undefined"]
    : ["object"];
  return [
    { name, run, args: [...args, arg("options", valid, fits, /options|settings|size|config|range/)] },
    {
      name: `${name}, options`,
      run: (...given) =>
        run(...before, Object.fromEntries(options.map((option, i) => [option.name, given[i]]))),
      args: options,
    },
  ];
}

const sampling = [
  number("tokens", 2),
  arg("settings", PLAIN_SAMPLING, ["object"], /settings|temperature|strategy/),
  arg("random", random()),
  arg("overflow", "stop"),
  optional(arg("stop", () => false, ["function", "null"])),
];

const calls: readonly Call[] = [
  ...withOptions(
    "openBackend",
    (name, threads, ...rest) => calling(library.openBackend)(name, threads, null, ...rest),
    [optional(arg("backend", "reference")), optional(arg("threads", 1, ["number"]))],
    [optional(arg("fast", false, ["true"])), optional(arg("say", () => {}, ["function", "null"]))],
  ),
  {
    name: "openBackend, library",
    run: (path) => library.openBackend("reference", 1, ...([path] as [null])),
    args: [optional(arg("library", null, ["null", "text"]))],
  },
  {
    name: "Context",
    run: constructing(Context),
    args: [arg("backend", backend), optional(arg("beforeScope", null, ["null", "function"]))],
  },
  {
    name: "scope",
    run: (...args) => Reflect.apply(context.scope, context, args),
    args: [arg("mode", "no-grad"), arg("body", () => 1, ["function"])],
  },
  {
    name: "parameter",
    run: (...args) => Reflect.apply(context.parameter, context, args),
    args: [arg("shape", [2], ["array", "texts"]), arg("values", [1, 2], ["array", "function"])],
  },
  {
    name: "persistent",
    run: (...args) => Reflect.apply(context.persistent, context, args),
    args: [arg("shape", [2], ["array", "texts"])],
  },
  {
    name: "backward",
    run: (...args) => Reflect.apply(context.backward, context, args),
    args: [arg("operand", null, ["null"])],
  },
  { name: "presetOf", run: calling(library.presetOf), args: [text("name", "tiny")] },
  { name: "resolveSettings", run: calling(library.resolveSettings), args: [arg("settings", {}, ["object"])] },
  { name: "splitCorpus", run: calling(library.splitCorpus), args: [arg("ids", ids, ["array", "texts"])] },
  { name: "TokenFile.open", run: calling(library.TokenFile.open), args: [text("path", "/nowhere")] },
  ...withOptions(
    "writeTokens",
    calling(library.writeTokens),
    [
      text("path", join(tmpdir(), "nopeek", "nowhere", "tokens")),
      object("tokenizer", tokenizer),
      arg("text", [], ["array", "texts", "object", "function"]),
    ],
    [optional(arg("unknown", "drop")), optional(text("partial", join(tmpdir(), "nopeek", "nowhere", "x")))],
  ),
  ...withOptions(
    "estimateLoss",
    calling(library.estimateLoss),
    [object("model", model), arg("ids", ids, ["array", "texts"])],
    [number("batches", 1), arg("batchSize", 1, ["number"]), number("seed", 1)],
  ),
  ...withOptions(
    "evaluateSplit",
    calling(library.evaluateSplit),
    [object("model", model), arg("ids", ids, ["array", "texts"])],
    [number("start", 0), number("end", 10)],
  ),
  {
    name: "Encoder",
    run: constructing(Encoder),
    args: [
      object("context", context),
      arg("config", config, [], /config|activation/),
      object("random", random()),
    ],
  },
  {
    name: "EncoderDecoder",
    run: constructing(EncoderDecoder),
    args: [
      object("context", context),
      arg("config", config, [], /config|activation/),
      object("random", random()),
    ],
  },
  ...[GPT, library.MaskSwitchGPT].map(
    (Model): Call => ({
      name: Model.name,
      run: constructing(Model),
      args: [
        object("context", context),
        arg("config", config, [], /config|activation/),
        object("random", random()),
      ],
    }),
  ),
  {
    name: "forward",
    run: (tokens) => context.noGrad(() => Reflect.apply(model.forward, model, [tokens])),
    args: [arg("tokens", batch, [], /tokens|ids/)],
  },
  {
    name: "inspect",
    run: (...args) => context.noGrad(() => Reflect.apply(library.inspect, undefined, args)),
    args: [object("model", model), arg("tokens", batch, [], /tokens|ids/)],
  },
  {
    name: "padTokens",
    run: calling(library.padTokens),
    args: [arg("rows", [[1], [2, 3]], ["array"], /row/), arg("side", "left")],
  },
  { name: "countNumbers", run: calling(library.countNumbers), args: [arg("parameters", {}, ["object"])] },
  { name: "parametersOf", run: calling(library.parametersOf), args: [arg("parts", {}, ["object"])] },
  ...withOptions(
    "AdamW",
    constructing(library.AdamW),
    [arg("parameters", {}, ["object"])],
    [number("beta1", 0.9), number("beta2", 0.99), number("epsilon", 1e-8), number("weightDecay", 0)],
  ),
  ...withOptions(
    "SGD",
    constructing(library.SGD),
    [arg("parameters", {}, ["object"])],
    [number("learningRate", 0.1)],
  ),
  ...withOptions(
    "trainGPT",
    calling(library.trainGPT),
    [text("text", "abcabcabcabc")],
    [optional(arg("onStep", () => {}, ["function", "null"])), arg("steps", 1, ["number", "undefined"])],
  ),
  { name: "Random.of", run: calling(Random.of), args: [number("seed", 1)] },
  { name: "Random.from", run: calling(Random.from), args: [object("state", random().state())] },
  {
    name: "gptConfigOf",
    run: calling(library.gptConfigOf),
    args: [object("settings", settings), number("vocabSize", 3)],
  },
  { name: "runConfigToJSON", run: calling(library.runConfigToJSON), args: [object("config", runConfig)] },
  { name: "RunDirectory.open", run: calling(library.RunDirectory.open), args: [text("path", "/nowhere")] },
  {
    name: "restore",
    run: calling(library.restore),
    args: [arg("tensors", {}, ["object"]), arg("stored", new Map()), text("where", "file")],
  },
  { name: "snapshot", run: calling(library.snapshot), args: [arg("tensors", {}, ["object"])] },
  {
    name: "loadGPT",
    run: calling(library.loadGPT),
    args: [object("context", context), optional(text("path", "/nowhere"))],
  },
  {
    name: "loadModel",
    run: calling(library.loadModel),
    args: [object("context", context), text("path", "/nowhere")],
  },
  ...withOptions(
    "generate",
    calling(library.generate),
    [object("model", model), arg("prompt", [1], ["array"])],
    sampling,
  ),
  ...withOptions(
    "generateBatch",
    calling(library.generateBatch),
    [object("model", model), arg("prompts", [[1]], ["array"], /prompt/)],
    [
      ...sampling.filter(({ name }) => name !== "random"),
      arg("random", () => random(), ["function"]),
      number("samples", 1),
    ],
  ),
  ...withOptions(
    "generateText",
    calling(library.generateText),
    [object("model", model), object("tokenizer", tokenizer), text("prompt", "a")],
    [
      ...sampling.slice(0, 1),
      optional(arg("settings", {}, ["object"])),
      arg("random", random()),
      optional(arg("overflow", "stop")),
      optional(arg("stops", [], ["array", "texts"])),
    ],
  ),
  ...withOptions(
    "beamSearch",
    calling(library.beamSearch),
    [object("model", model), arg("prompt", [1], ["array"])],
    [
      number("tokens", 2),
      arg("settings", { beams: 2, best: 1, lengthPenalty: 1 }, [], /settings|beams/),
      arg("overflow", "stop"),
      optional(arg("ends", () => false, ["function", "null"])),
    ],
  ),
  {
    name: "greedyAnswers",
    run: calling(library.greedyAnswers),
    args: [object("model", pairs), arg("source", batch, [], /source|ids|tokens/)],
  },
  {
    name: "scoreSequences",
    run: calling(library.scoreSequences),
    args: [object("model", model), arg("sequences", [[1, 2]], ["array"], /sequence/)],
  },
  {
    name: "BpeTokenizer",
    run: constructing(library.BpeTokenizer),
    args: [arg("merges", [[97, 98]], ["array", "texts"])],
  },
  {
    name: "trainBpe",
    run: calling(library.trainBpe),
    args: [
      arg("text", "abab", ["text", "array", "texts"]),
      optional(arg("options", { vocabSize: 257 }, ["object"])),
    ],
  },
  { name: "CharTokenizer", run: constructing(CharTokenizer), args: [text("vocabulary", "ab")] },
  { name: "CharTokenizer.fromText", run: calling(CharTokenizer.fromText), args: [text("text", "ab")] },
  ...[tokenizer, new library.ByteTokenizer()].flatMap((one): Call[] => [
    {
      name: `${one.kind} encode`,
      run: (...args) => Reflect.apply(one.encode, one, args),
      args: [text("text", "ab")],
    },
    {
      name: `${one.kind} decode`,
      run: (...args) => Reflect.apply(one.decode, one, args),
      args: [numbers("ids", [1])],
    },
  ]),
  ...withOptions(
    "NextToken",
    constructing(library.NextToken),
    [object("model", model), arg("ids", ids, ["array", "texts"])],
    [
      number("contextLength", 4),
      number("batchSize", 2),
      number("seed", 1),
      optional(arg("windows", "random")),
    ],
  ),
  ...withOptions(
    "MaskedToken",
    constructing(library.MaskedToken),
    [object("model", encoder), arg("ids", ids, ["array", "texts"])],
    [number("contextLength", 4), number("batchSize", 2), number("seed", 1)],
  ),
  {
    name: "SequenceToSequence",
    run: constructing(library.SequenceToSequence),
    args: [object("model", pairs), object("task", task), number("batchSize", 2)],
  },
  ...withOptions(
    "ToyTask",
    constructing(ToyTask),
    [],
    [
      arg("task", "reverse"),
      ...(["alphabetSize", "minLength", "maxLength", "seed"] as const).map((name) => number(name, toy[name])),
    ],
  ),
  {
    name: "draw",
    run: (...args) => Reflect.apply(task.draw, task, args),
    args: [arg("side", "training"), object("random", random())],
  },
  {
    name: "Trainer",
    run: constructing(library.Trainer),
    args: [
      object("model", model),
      object("objective", new library.NextToken(model, ids, size)),
      arg("settings", settings, [], /settings|optimizer/),
    ],
  },
];

const tensor = context.parameter([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
const cube = context.parameter([1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
const x = arg("operand", tensor, [], /operand|tensor/);
const mask = arg("operand", context.persistent([2, 4]), [], /operand|tensor/);
const cubed = arg("operand", cube, [], /operand|tensor/);
const nullable = arg("operand", null, ["null"], /operand|tensor/);
const axis = arg("axis", 0, [], /axis/);

const opCalls: readonly Call[] = [
  ...[ops.add, ops.subtract, ops.multiply, ops.divide].map((op): Call => {
    return { name: op.name, run: calling(op), args: [x, x] };
  }),
  { name: "maskedAdd", run: calling(ops.maskedAdd), args: [x, mask] },
  ...[ops.exp, ops.log, ops.relu, ops.reluSquared, ops.silu, ops.sqrt, ops.tanh].map((op): Call => {
    return { name: op.name, run: calling(op), args: [x] };
  }),
  ...[ops.negate, ops.logSoftmax].map((op): Call => ({ name: op.name, run: calling(op), args: [x] })),
  ...[ops.sum, ops.mean, ops.max].map((op): Call => {
    return { name: op.name, run: calling(op), args: [x, optional(arg("axis", 0, ["number"]))] };
  }),
  ...withOptions(
    "attention",
    calling(ops.attention),
    [cubed, cubed, cubed],
    [
      arg("heads", 2, ["number"]),
      arg("mask", "causal", ["array", "texts"]),
      optional(arg("keyCount", 2, ["number"])),
      optional(arg("dropout", 0, ["number", "null"])),
      optional(arg("random", null, ["null"])),
    ],
  ),
  {
    name: "concatenate",
    run: calling(ops.concatenate),
    args: [arg("tensors", [tensor], ["array"], /tensors|operand/), axis],
  },
  { name: "crossEntropy", run: calling(ops.crossEntropy), args: [x, arg("targets", [1, 2], [], /target/)] },
  {
    name: "customOp",
    run: calling(ops.customOp),
    args: [
      text("name", "mine"),
      arg("inputs", [tensor], [], /inputs|operand/),
      object("definition", { forward: () => tensor, backward: () => [null] }),
    ],
  },
  {
    name: "dropout",
    run: calling(ops.dropout),
    args: [x, arg("probability", 0.5, ["number"]), arg("random", null, ["null"])],
  },
  {
    name: "embedding",
    run: calling(ops.embedding),
    args: [x, arg("ids", [1], ["array"]), arg("shape", [1], ["array", "texts"])],
  },
  { name: "gelu", run: calling(ops.gelu), args: [x, optional(arg("form", "tanh"))] },
  {
    name: "layerNorm",
    run: calling(ops.layerNorm),
    args: [x, nullable, nullable, optional(number("epsilon", 1))],
  },
  { name: "rmsNorm", run: calling(ops.rmsNorm), args: [x, nullable, optional(number("epsilon", 1))] },
  {
    name: "linear",
    run: calling(ops.linear),
    args: [
      x,
      arg("operand", context.parameter([4, 1], [1, 2, 3, 4]), [], /operand/),
      nullable,
      optional(arg("layout", "in-out")),
    ],
  },
  { name: "matmul", run: calling(ops.matmul), args: [x, x] },
  { name: "reshape", run: calling(ops.reshape), args: [x, arg("shape", [8], ["array"], /shape|reshape/)] },
  { name: "rotary", run: calling(ops.rotary), args: [x, x, arg("positions", [0, 1], [], /position/)] },
  { name: "scale", run: calling(ops.scale), args: [x, number("factor", 2)] },
  {
    name: "slice",
    run: calling(ops.slice),
    args: [x, axis, arg("start", 0, [], /start/), arg("end", 1, [], /end/)],
  },
  { name: "softCap", run: calling(ops.softCap), args: [x, number("limit", 2)] },
  { name: "softmax", run: calling(ops.softmax), args: [x, optional(arg("mask", "full"))] },
  { name: "transpose", run: calling(ops.transpose), args: [x, optional(arg("axes", [1, 0], ["array"]))] },
];

/** Runs to the first result of a generator, or the end of a promise. */
async function outcomeOf(run: () => unknown): Promise<unknown> {
  const result = await run();
  if (typeof result === "object" && result !== null && Symbol.asyncIterator in result && "next" in result) {
    if (typeof result.next === "function") await result.next();
  }
  return result;
}

/** What is wrong with the reaction to every wrong argument of a call. */
async function complaintsAbout({ name, run, args }: Call): Promise<string[]> {
  const complaints: string[] = [];
  for (const [i, { name: argument, fits, named }] of args.entries()) {
    for (const [kind, value] of Object.entries(values)) {
      if (fits.some((fit) => fit === kind)) continue;
      const given = args.map(({ valid }, j) => (i === j ? value : valid));
      const problem = await outcomeOf(() => run(...given)).then(
        () => "was accepted",
        (error: unknown) => {
          if (!(error instanceof NopeekError)) return `gave ${error}`;
          return (named ?? new RegExp(argument)).test(error.message) ? null : `was called: ${error.message}`;
        },
      );
      if (problem !== null) complaints.push(`${name}: ${argument} = ${kind} ${problem}`);
    }
  }
  return complaints;
}

describe("a wrong type is named by an error of nopeek", () => {
  it.each(calls)("$name", async (call) => {
    expect(await complaintsAbout(call)).toEqual([]);
  });

  it.each(opCalls)("$name", async (call) => {
    const complaints = await context.scope("no-grad", () => complaintsAbout(call));
    expect(complaints).toEqual([]);
  });

  it("covers every function and class of the library", () => {
    const covered = [...calls, ...opCalls].map(({ name }) => name);
    const missing = Object.entries({ ...library, ...ops }).flatMap(([name, value]) => {
      const isError =
        typeof value === "function" && (value.prototype instanceof NopeekError || value === NopeekError);
      if (typeof value !== "function" || isError) return [];
      return covered.some((call) => call === name || call.startsWith(`${name}.`)) ? [] : [name];
    });
    // These take no argument, or are made by another export.
    expect(missing.sort()).toEqual(["ByteTokenizer", "TrainedGPT", "openDoubleBackend"]);
  });
});
