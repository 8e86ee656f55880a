/**
 * The library: `import { … } from "nopeek"`; ops are in "nopeek/ops". Anything not exported here may change at any time.
 *
 *   quickstart  train on a string and sample            trainGPT
 *   backend     where numbers are stored and computed   openBackend
 *   context     one backend, a tape, lifetimes          Context
 *   model       what is trained                         GPT, Encoder, EncoderDecoder, loadGPT
 *   inspection  scores, attention maps, activations     inspect
 *   training    an objective, a trainer, optimizers     resolveSettings, NextToken, Trainer, SGD
 *   corpora     larger than memory                      writeTokens, TokenFile
 *   sampling    from a prompt to a text                 generateText, beamSearch, scoreSequences
 *
 * Nothing here prints, reads the clock or the environment, or draws random numbers without a seed.
 */
export { Context, type ScopeMode } from "./autograd/context.ts";
export type { Tensor } from "./autograd/tensor.ts";
export type { Backend } from "./backend/backend.ts";
export { BACKEND_NAMES, type BackendName, openBackend, openDoubleBackend } from "./backend/open.ts";
export { presetOf } from "./config/presets.ts";
export { resolveSettings, type Settings } from "./config/settings.ts";
export { type CorpusSplit, splitCorpus } from "./data/split.ts";
export { TokenFile } from "./data/token-file.ts";
export type { TokenIds, TokenSource } from "./data/token-source.ts";
export { type WriteOptions, writeTokens } from "./data/write-tokens.ts";
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
export type { CachedSequence, KVCache } from "./nn/inference/kv-cache.ts";
export type { ForwardOptions } from "./nn/inputs/forward-options.ts";
export { type Padding, type PaddingSide, padTokens, type TokenBatch } from "./nn/inputs/token-batch.ts";
export { type Activations, type BlockActivations, type InspectOptions, inspect } from "./nn/inspect.ts";
export type { MaskMatrix } from "./nn/layers/textbook-attention.ts";
export { MaskSwitchGPT } from "./nn/mask-switch.ts";
export { countNumbers, type Module, type NamedTensors, parametersOf } from "./nn/parameters.ts";
export { AdamW, type AdamWSettings } from "./optim/adamw.ts";
export { SGD } from "./optim/sgd.ts";
export { type SampleOptions, TrainedGPT, type TrainGPTOptions, trainGPT } from "./quickstart.ts";
export { Random, type RandomState } from "./random.ts";
export type { Model } from "./run/build-model.ts";
export { gptConfigOf, type RunConfig, runConfigToJSON } from "./run/config.ts";
export { loadGPT, loadModel, RunDirectory, SHIPPED_MODEL_PATH } from "./run/on-disk.ts";
export { restore, snapshot } from "./run/restore.ts";
export type { LoadedModel } from "./run/saved-model.ts";
export {
  type BeamOptions,
  type BeamSettings,
  type BeamStep,
  beamSearch,
  type Hypothesis,
} from "./sample/beam-search.ts";
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
