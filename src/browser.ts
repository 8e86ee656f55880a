/**
 * The library for browsers: `import { … } from "nopeek/browser"`. It is that of index.ts, with these differences:
 *
 *   backend     `openBackend` loads kernels and threads from URLs; `chooseThreads` says how many threads there can be
 *   files       run directories and models are read and written by the `Files` that the caller passes, such as
 *               `MemoryFiles`
 *   corpora     are in memory
 *
 * No module that this one reaches imports anything of Node's. The numbers are those of Node, to the bit.
 */
export { Context, type ScopeMode } from "./autograd/context.ts";
export type { Tensor } from "./autograd/tensor.ts";
export type { Backend } from "./backend/backend.ts";
export {
  type BrowserBackendName,
  type BrowserOptions,
  chooseThreads,
  openBackend,
  type ThreadChoice,
} from "./backend/open-browser.ts";
export { presetOf } from "./config/presets.ts";
export { resolveSettings, type Settings } from "./config/settings.ts";
export { type CorpusSplit, splitCorpus } from "./data/split.ts";
export { knownFloor } from "./data/tales.ts";
export type { TokenIds, TokenSource } from "./data/token-source.ts";
export {
  ArgumentError,
  BackendError,
  CheckpointError,
  ConfigError,
  DataError,
  LogitsError,
  NopeekError,
  SampleError,
  ShapeError,
  TensorError,
  TokenError,
  TrainingError,
} from "./errors.ts";
export { type Evaluation, estimateLoss, evaluateSplit } from "./evaluate/loss.ts";
export { GPT2_STYLE, type GPTConfig, type ModelConfig } from "./nn/config.ts";
export { Encoder } from "./nn/encoder.ts";
export { EncoderDecoder } from "./nn/encoder-decoder.ts";
export { GPT } from "./nn/gpt.ts";
export type { ForwardOptions } from "./nn/inputs/forward-options.ts";
export { type Padding, type PaddingSide, padTokens, type TokenBatch } from "./nn/inputs/token-batch.ts";
export { type Activations, type BlockActivations, inspect } from "./nn/inspect.ts";
export { MaskSwitchGPT } from "./nn/mask-switch.ts";
export { countNumbers, type Module, type NamedTensors, parametersOf } from "./nn/parameters.ts";
export { AdamW, type AdamWSettings } from "./optim/adamw.ts";
export { SGD } from "./optim/sgd.ts";
export { Random, type RandomState } from "./random.ts";
export { buildModel, type Model } from "./run/build-model.ts";
export { gptConfigOf, type RunConfig, runConfigFromJSON, runConfigToJSON } from "./run/config.ts";
export { RunDirectory, type RunDirectoryOptions } from "./run/directory.ts";
export type { Files, Found } from "./run/files.ts";
export { MemoryFiles } from "./run/memory-files.ts";
export { restore, snapshot } from "./run/restore.ts";
export { type LoadedModel, loadGPT, loadModel } from "./run/saved-model.ts";
export {
  type BeamOptions,
  type BeamSettings,
  type BeamStep,
  beamSearch,
  type Hypothesis,
} from "./sample/beam-search.ts";
export { type Explanation, explain } from "./sample/explain.ts";
export { type EndReason, type GenerateOptions, generate } from "./sample/generate.ts";
export { type BatchOptions, generateBatch, type RowChoice } from "./sample/generate-batch.ts";
export { generateText, PLAIN_SAMPLING, type TextOptions } from "./sample/generate-text.ts";
export { type Answer, greedyAnswers } from "./sample/greedy-answers.ts";
export { type Score, scoreSequences } from "./sample/score.ts";
export type { SampleSettings } from "./sample/settings.ts";
export type { Choice } from "./sample/strategies.ts";
export type { Shape } from "./shape.ts";
export { BpeTokenizer } from "./text/bpe/bpe-tokenizer.ts";
export type { Merge } from "./text/bpe/merges.ts";
export { type BpeOptions, trainBpe } from "./text/bpe/train-bpe.ts";
export { ByteTokenizer } from "./text/byte-tokenizer.ts";
export { CharTokenizer } from "./text/char-tokenizer.ts";
export type { Tokenizer } from "./text/tokenizer.ts";
export { MaskedToken } from "./train/objectives/masked-token.ts";
export { NextToken } from "./train/objectives/next-token.ts";
export type { Objective, Trainable } from "./train/objectives/objective.ts";
export { SequenceToSequence } from "./train/objectives/sequence-to-sequence.ts";
export { type Example, ToyTask } from "./train/objectives/toy-task.ts";
export { type StepReport, Trainer } from "./train/trainer.ts";
export { sha256Hex } from "./util/sha256.ts";
