/** `nopeek verify` by kind of model: texts, checks, and the faults that can be injected. */
import { existsSync, readFileSync } from "node:fs";
import { Context } from "../../../autograd/context.ts";
import type { Backend } from "../../../backend/backend.ts";
import { openDoubleBackend } from "../../../backend/open.ts";
import { entropyFloor, TALES_PATH } from "../../../data/corpus.ts";
import { splitCorpus } from "../../../data/split.ts";
import { ConfigError } from "../../../errors.ts";
import { Encoder } from "../../../nn/encoder.ts";
import { EncoderDecoder } from "../../../nn/encoder-decoder.ts";
import { GPT } from "../../../nn/gpt.ts";
import type { NamedTensors } from "../../../nn/parameters.ts";
import { Random } from "../../../random.ts";
import type { Model } from "../../../run/build-model.ts";
import type { RunConfig } from "../../../run/config.ts";
import { BLANK } from "../../../sample/fill-blanks.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import { brokenEncoder, brokenEncoderDecoder, ENCODER_BREAKS } from "../../../verify/broken-encoders.ts";
import { BREAK_DESCRIPTIONS, type Break, brokenGPT } from "../../../verify/broken-gpt.ts";
import type { Rows } from "../../../verify/check.ts";
import { copyWeights } from "../../../verify/copy.ts";
import type { KnownText } from "../../../verify/floor.ts";
import { makeTexts, randomTexts } from "../../../verify/texts.ts";
import { type Checks, checksOfEncoder, checksOfEncoderDecoder, checksOfGPT } from "../../../verify/verify.ts";
import type { OpenModel } from "../../shared/open-model.ts";

export interface Verification {
  readonly checks: Checks;
  /** Describes the injected fault, or null if there is none. */
  readonly broken: string | null;
  /** The conclusion if all checks pass. */
  readonly proved: string;
}

export interface VerificationOptions {
  /** The fault to inject into a copy, or null to check the model itself. */
  readonly how: Break | null;
  /** Number of texts. */
  readonly count: number;
  /** Tokens per text. */
  readonly positions: number;
  readonly seed: number;
  readonly onProgress: (share: number) => void;
}

/**
 * Prepares the checks for a model; the caller runs them.
 *
 * @throws ConfigError if the fault does not apply to this kind of model
 */
export function prepareChecks(opened: OpenModel<Model>, options: VerificationOptions): Promise<Verification> {
  const { model } = opened;
  if (model instanceof GPT) return prepareGPT({ ...opened, model }, options);
  return model instanceof Encoder
    ? prepareEncoder({ ...opened, model }, options)
    : prepareEncoderDecoder({ ...opened, model }, options);
}

async function prepareGPT(opened: OpenModel, options: VerificationOptions): Promise<Verification> {
  const { model, tokenizer, backend } = opened;
  const { how } = options;
  const make = (context: Context) =>
    how === null ? new GPT(context, model.config, Random.of(0)) : brokenGPT(how, context, model.config);
  const texts = await makeTexts(model, options);
  return {
    checks: checksOfGPT({
      ...(await copies(model, how, make, backend)),
      known: await knownTextOf(opened),
      options: optionsFor(texts, options, (ids) => tokenizer.decode(ids)),
    }),
    broken: how === null ? null : BREAK_DESCRIPTIONS[how],
    proved: "this model does not peek",
  };
}

async function prepareEncoder(
  { model, tokenizer, backend }: OpenModel<Encoder>,
  options: VerificationOptions,
): Promise<Verification> {
  const how = encoderBreak(options.how);
  const make = (context: Context) =>
    how === null
      ? new Encoder(context, model.config, Random.of(0))
      : brokenEncoder(how, context, model.config);
  // The random ids include [MASK].
  const texts = randomTexts({ ...options, ids: model.maskId + 1 }, Random.of(options.seed, "texts"));
  return {
    checks: checksOfEncoder({
      ...(await copies(model, how, make, backend)),
      options: optionsFor(texts, options, decoderFor(tokenizer, [BLANK])),
    }),
    broken: how === null ? null : ENCODER_BREAKS[how],
    proved: "this model attends in both directions, as an encoder should, and never to padding",
  };
}

/** An encoder has no KV cache and no causal mask, so only two of the faults apply. */
function encoderBreak(how: Break | null): keyof typeof ENCODER_BREAKS | null {
  if (how === null || how === "mask" || how === "padding") return how;
  throw new ConfigError(
    `--break ${how}: an encoder only supports ${Object.keys(ENCODER_BREAKS).join(" and ")}; it attends to all positions at once, so it has no cache and no causal mask to break`,
  );
}

async function prepareEncoderDecoder(
  { model, tokenizer, backend }: OpenModel<EncoderDecoder>,
  options: VerificationOptions,
): Promise<Verification> {
  const { how, positions } = options;
  const make = (context: Context) =>
    how === null
      ? new EncoderDecoder(context, model.config, Random.of(0))
      : brokenEncoderDecoder(how, context, model.config);
  const answers = { ...options, positions: positions - 1, ids: model.config.vocabSize };
  const texts = randomTexts(answers, Random.of(options.seed, "texts")).map((ids) => [model.startId, ...ids]);
  return {
    checks: checksOfEncoderDecoder({
      ...(await copies(model, how, make, backend)),
      options: optionsFor(texts, options, decoderFor(tokenizer, ["[end]", "[start]"])),
    }),
    broken: how === null ? null : `in the decoder, ${BREAK_DESCRIPTIONS[how]}`,
    proved: "this model's decoder does not peek",
  };
}

function optionsFor(
  texts: Rows,
  { seed, onProgress }: VerificationOptions,
  show: (ids: readonly number[]) => string,
) {
  return { texts, seed, show, onProgress };
}

/** Returns the model to check, which is the model itself or a broken copy, and its twin in double precision. */
async function copies<Kind extends { parameters(): NamedTensors }>(
  original: Kind,
  how: Break | null,
  make: (context: Context) => Kind,
  backend: Backend,
): Promise<{ model: Kind; twin: Kind }> {
  const model = how === null ? original : make(new Context(backend));
  const twin = make(new Context(await openDoubleBackend()));
  for (const copy of [model, twin]) {
    if (copy !== original) await copyWeights(original.parameters(), copy.parameters());
  }
  return { model, twin };
}

/** Returns a function that decodes ids for messages. Ids beyond the vocabulary are special tokens with `names`. */
function decoderFor(tokenizer: Tokenizer, names: readonly string[]): (ids: readonly number[]) => string {
  return (ids) => ids.map((id) => names[id - tokenizer.vocabSize] ?? tokenizer.decode([id])).join("");
}

/** The validation split of the tales with its entropy, or null if the model was trained on another text. */
async function knownTextOf({
  config,
  tokenizer,
}: {
  readonly config: RunConfig;
  readonly tokenizer: Tokenizer;
}): Promise<KnownText | null> {
  const floorNats = config.corpus === null ? null : await entropyFloor(config.corpus.sha256);
  if (floorNats === null || tokenizer.kind !== "char" || !existsSync(TALES_PATH)) return null;
  const ids = tokenizer.encode(readFileSync(TALES_PATH, "utf8"));
  return { ids, range: { start: splitCorpus(ids).boundary, end: ids.length }, floorNats };
}
