/**
 * Reads the config.json of another program, field by field. Whatever is left over is refused, unless it is known to
 * change no number: a field that were ignored silently would give other logits.
 */
import { ConfigError } from "../../errors.ts";
import { printableJson } from "../../util/printable.ts";

/** Fields that no logit depends on: names, training, generation, heads that are not used. */
const HARMLESS: ReadonlySet<string> = new Set(
  `architectures auto_map dtype torch_dtype transformers_version model_name name_or_path tokenizer_class task_specific_params
  bos_token_id eos_token_id pad_token_id unk_token_id sep_token_id decoder_start_token_id forced_bos_token_id forced_eos_token_id
  initializer_range initializer_factor use_cache gradient_checkpointing attention_dropout attn_pdrop embd_pdrop resid_pdrop
  embed_dropout resid_dropout hidden_dropout classifier_dropout summary_activation summary_first_dropout
  summary_proj_to_labels summary_type summary_use_proj id2label label2id num_labels problem_type finetuning_task
  output_attentions output_hidden_states output_scores return_dict return_dict_in_generate use_return_dict
  chunk_size_feed_forward is_decoder is_encoder_decoder torchscript use_bfloat16 tf_legacy_loss pretraining_tp
  max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p
  typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids
  num_return_sequences remove_invalid_values exponential_decay_length_penalty suppress_tokens begin_suppress_tokens
  prefix tie_encoder_decoder cross_attention_hidden_size reorder_and_upcast_attn use_flash_attn attn_implementation
  max_window_layers transformers.js_config`.split(/\s+/),
);

/** What a field that is not known may hold: it is turned off. */
function isOff(value: unknown): boolean {
  return (
    value === null || value === false || (typeof value === "object" && Object.keys(value ?? {}).length === 0)
  );
}

/** The fields of a config.json. Each method reads one, with the default that the architecture has. */
export class ConfigFields {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #where: string;
  readonly #read = new Set<string>();

  /** @throws ConfigError if it is not an object */
  constructor(json: unknown, where: string) {
    if (typeof json !== "object" || json === null || Array.isArray(json))
      throw new ConfigError(`${where}: expected fields in braces: got ${brief(json)}`);
    this.#values = new Map(Object.entries(json));
    this.#where = where;
  }

  /** The value of a field; undefined if it is missing or null. */
  get(name: string): unknown {
    this.#read.add(name);
    return this.#values.get(name) ?? undefined;
  }

  /** A whole number ≥ 1. Without a default, the field must be there. */
  count(name: string, fallback?: number): number {
    const value = this.get(name) ?? fallback;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
    throw this.#wrong(name, "a whole number ≥ 1", value);
  }

  /** The same, or null. A field that is missing has the default; one that is null stays null. */
  countOrNull(name: string, fallback: number | null): number | null {
    this.#read.add(name);
    if (!this.#values.has(name)) return fallback;
    return this.get(name) === undefined ? null : this.count(name);
  }

  /** A finite number above 0. */
  number(name: string, fallback: number): number {
    const value = this.get(name) ?? fallback;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw this.#wrong(name, "a number above 0", value);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.get(name) ?? fallback;
    if (typeof value === "boolean") return value;
    throw this.#wrong(name, "true or false", value);
  }

  /** The meaning of a word. */
  word<Meaning>(name: string, fallback: string, meanings: Readonly<Record<string, Meaning>>): Meaning {
    const value = this.get(name) ?? fallback;
    if (typeof value === "string" && Object.hasOwn(meanings, value)) return meanings[value];
    throw this.#wrong(name, Object.keys(meanings).join(" or "), value);
  }

  /** Requires one of some values, because nopeek computes only these. */
  only(name: string, fallback: unknown, allowed: readonly unknown[]): void {
    const value = this.get(name) ?? fallback;
    if (!allowed.includes(value)) throw this.#wrong(name, allowed.map(brief).join(" or "), value);
  }

  /** The object in a field; null if the field is missing. */
  inside(name: string): ConfigFields | null {
    const value = this.get(name);
    return value === undefined ? null : new ConfigFields(value, `${this.#where}: \`${name}\``);
  }

  /** A list of values; null if the field is missing. */
  list(name: string): readonly unknown[] | null {
    const value = this.get(name) ?? null;
    if (value === null || Array.isArray(value)) return value;
    throw this.#wrong(name, "a list", value);
  }

  /** @throws ConfigError if a field was not read that may change the numbers */
  finish(ignored: readonly string[] = []): void {
    const left = [...this.#values].filter(
      ([name, value]) =>
        !this.#read.has(name) &&
        !HARMLESS.has(name) &&
        !name.startsWith("_") &&
        !ignored.includes(name) &&
        !isOff(value),
    );
    if (left.length === 0) return;
    const named = left.map(([name, value]) => `\`${name}\` ${brief(value)}`).join(", ");
    throw new ConfigError(
      `${this.#where}: what nopeek would compute might differ, because it does not know the ${left.length === 1 ? "field" : "fields"} ${named}; if ${left.length === 1 ? "it changes" : "they change"} no number, name ${left.length === 1 ? "it" : "them"} with \`ignoreFields\``,
    );
  }

  #wrong(name: string, expected: string, value: unknown): ConfigError {
    return new ConfigError(
      `${this.#where}: \`${name}\` must be ${expected}, to be computed here: got ${brief(value)}`,
    );
  }
}

function brief(value: unknown): string {
  const text = printableJson(value ?? null);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
