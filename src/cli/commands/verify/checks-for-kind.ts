/** What `nopeek verify` asks of a model of each kind: its texts, its checks, and how it can be broken. */
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
import type { Model, RunConfig } from "../../../run/config.ts";
import { BLANK } from "../../../sample/fill-blanks.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";
import { brokenEncoder, brokenEncoderDecoder, ENCODER_BREAKS } from "../../../verify/broken-family.ts";
import type { Rows } from "../../../verify/check.ts";
import { copyWeights } from "../../../verify/copy.ts";
import type { KnownText } from "../../../verify/floor.ts";
import { BREAK_MEANINGS, type Break, brokenModel } from "../../../verify/sabotage.ts";
import { makeTexts, randomTexts } from "../../../verify/texts.ts";
import { type Checks, checksOfEncoder, checksOfEncoderDecoder, checksOfGPT } from "../../../verify/verify.ts";
import type { OpenModel } from "../../shared/open-model.ts";

export interface Verification {
  readonly checks: Checks;
  /** What was done to the copy, in words; null when it is whole. */
  readonly broken: string | null;
  /** What it means when all checks pass. */
  readonly proved: string;
}

export interface InspectionSize {
  /** How the copy that is looked at is broken; null: the model itself is. */
  readonly how: Break | null;
  readonly count: number;
  readonly positions: number;
  readonly seed: number;
  readonly onProgress: (share: number) => void;
}

/** @throws ConfigError when a model of this kind cannot be broken so */
export function runChecks(opened: OpenModel<Model>, size: InspectionSize): Promise<Verification> {
  const { model } = opened;
  if (model instanceof GPT) return inspectGPT({ ...opened, model }, size);
  return model instanceof Encoder
    ? inspectEncoder({ ...opened, model }, size)
    : inspectEncoderDecoder({ ...opened, model }, size);
}

async function inspectGPT(opened: OpenModel, size: InspectionSize): Promise<Verification> {
  const { model, tokenizer, backend } = opened;
  const { how } = size;
  const make = (context: Context) =>
    how === null ? new GPT(context, model.config, Random.of(0)) : brokenModel(how, context, model.config);
  const texts = await makeTexts(model, size);
  return {
    checks: checksOfGPT({
      ...(await copies(model, how, make, backend)),
      known: await knownTextOf(opened),
      options: optionsFor(texts, size, (ids) => tokenizer.decode(ids)),
    }),
    broken: how === null ? null : BREAK_MEANINGS[how],
    proved: "this model does not peek",
  };
}

async function inspectEncoder(
  { model, tokenizer, backend }: OpenModel<Encoder>,
  size: InspectionSize,
): Promise<Verification> {
  const how = encoderBreak(size.how);
  const make = (context: Context) =>
    how === null
      ? new Encoder(context, model.config, Random.of(0))
      : brokenEncoder(how, context, model.config);
  // [MASK] stands among the others.
  const texts = randomTexts({ ...size, ids: model.maskId + 1 }, Random.of(size.seed, "texts"));
  return {
    checks: checksOfEncoder({
      ...(await copies(model, how, make, backend)),
      options: optionsFor(texts, size, decoding(tokenizer, [BLANK])),
    }),
    broken: how === null ? null : ENCODER_BREAKS[how],
    proved: "this model sees both ways, as an encoder should, and no padding",
  };
}

/** An encoder has no cache, and no mask that could be moved. */
function encoderBreak(how: Break | null): keyof typeof ENCODER_BREAKS | null {
  if (how === null || how === "mask" || how === "padding") return how;
  throw new ConfigError(
    `--break ${how}: an encoder can be broken by ${Object.keys(ENCODER_BREAKS).join(" or ")}; it sees all positions at once, so there is no cache to lose and no mask to move`,
  );
}

async function inspectEncoderDecoder(
  { model, tokenizer, backend }: OpenModel<EncoderDecoder>,
  size: InspectionSize,
): Promise<Verification> {
  const { how, positions } = size;
  const make = (context: Context) =>
    how === null
      ? new EncoderDecoder(context, model.config, Random.of(0))
      : brokenEncoderDecoder(how, context, model.config);
  const answers = { ...size, positions: positions - 1, ids: model.config.vocabSize };
  const texts = randomTexts(answers, Random.of(size.seed, "texts")).map((ids) => [model.startId, ...ids]);
  return {
    checks: checksOfEncoderDecoder({
      ...(await copies(model, how, make, backend)),
      options: optionsFor(texts, size, decoding(tokenizer, ["[end]", "[start]"])),
    }),
    broken: how === null ? null : `in the decoder, ${BREAK_MEANINGS[how]}`,
    proved: "this model's decoder does not peek",
  };
}

function optionsFor(
  texts: Rows,
  { seed, onProgress }: InspectionSize,
  show: (ids: readonly number[]) => string,
) {
  return { texts, seed, show, onProgress };
}

/** What the checks look at, the model itself or a broken copy; and the same in double precision. */
async function copies<Kind extends { parameters(): NamedTensors }>(
  honest: Kind,
  how: Break | null,
  make: (context: Context) => Kind,
  backend: Backend,
): Promise<{ model: Kind; twin: Kind }> {
  const model = how === null ? honest : make(new Context(backend));
  const twin = make(new Context(await openDoubleBackend()));
  for (const copy of [model, twin]) {
    if (copy !== honest) await copyWeights(honest.parameters(), copy.parameters());
  }
  return { model, twin };
}

/** Ids as a person reads them; those behind the vocabulary have names. */
function decoding(tokenizer: Tokenizer, names: readonly string[]): (ids: readonly number[]) => string {
  return (ids) => ids.map((id) => names[id - tokenizer.vocabSize] ?? tokenizer.decode([id])).join("");
}

/** The tales, where that is what the model learned from. */
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
