/** `nopeek sample --items`: writes whole documents, and compares them with those of the training text. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Corpus } from "../../../data/corpus.ts";
import { documentsAmong } from "../../../data/document-search.ts";
import { cachePlace } from "../../../data/token-cache.ts";
import { ConfigError, DataError, NopeekError, SampleError } from "../../../errors.ts";
import type { RunConfig } from "../../../run/config.ts";
import { defaultPrompt, type Prompt } from "../../../run/default-prompt.ts";
import type { EndReason } from "../../../sample/generate.ts";
import { generateBatch } from "../../../sample/generate-batch.ts";
import { encodeDocument } from "../../../text/tokenizer.ts";
import { formatCount, plural } from "../../../util/format.ts";
import { encodeKnown } from "../../options/unknown-characters.ts";
import type { OpenModel } from "../../shared/open-model.ts";
import { processes } from "../../shared/process-lock.ts";
import { readAgain } from "../../shared/read-corpus.ts";
import { separatorOf } from "../../shared/show-documents.ts";
import type { Terminal } from "../../terminal/output.ts";
import { Continuation } from "./continuation.ts";
import { randomOf, type SampleFlags, sampleSettingsOf } from "./flags.ts";

/** The most documents in one batch. */
const MAX_ROWS = 64;
/** With `--new-only`, at most this many documents are written for each one that is asked for. */
const MOST_ATTEMPTS = 20;

interface Item {
  readonly text: string;
  readonly continuation: Continuation;
  readonly ended: EndReason;
}

/** @throws SampleError if the model was not trained on documents */
export function checkItems({ settings, tokenizer }: RunConfig, path: string): void {
  if (tokenizer.endOfText !== null && settings.documents !== "none") return;
  throw new SampleError(
    `--items: ${path} was not trained on documents, so it has no end token; train one: npx nopeek train --documents lines --data names.txt`,
  );
}

export class ItemWriter {
  readonly #terminal: Terminal;
  readonly #flags: SampleFlags;
  readonly #opened: OpenModel;
  readonly #prompt: Prompt;
  /** Every text written so far. */
  readonly #written = new Set<string>();
  #attempts = 0;
  #copied = 0;
  #repeated = 0;
  #cut = 0;

  constructor(terminal: Terminal, flags: SampleFlags, opened: OpenModel) {
    const { tokenizer, config } = opened;
    this.#terminal = terminal;
    this.#flags = flags;
    this.#opened = opened;
    const [given] = flags.prompt ?? [];
    if (given === undefined) this.#prompt = defaultPrompt(config);
    else {
      const { text } = encodeKnown(tokenizer, given, flags.unknown, terminal);
      this.#prompt = { text, ids: encodeDocument(tokenizer, text), shown: text };
    }
  }

  /** @throws DataError or ConfigError if `--new-only` needs the training text and it is gone or has changed */
  async run(path: string): Promise<void> {
    const { items = 0, newOnly = false } = this.#flags;
    const corpus = await this.#trainingText(path);
    try {
      let left = items;
      while (left > 0 && this.#attempts < MOST_ATTEMPTS * items) {
        const batch = await this.#generate(Math.min(MAX_ROWS, newOnly ? Math.max(left, 8) : left));
        const texts = new Set(batch.map(({ text }) => text));
        const copies =
          corpus === null ? new Set<string>() : await documentsAmong(corpus.markedBytes(), texts);
        for (const item of batch)
          if (left > 0 && this.#take(item, corpus === null ? null : copies.has(item.text))) left -= 1;
      }
      if (!this.#flags.json) this.#report(corpus, items - left);
    } finally {
      corpus?.release();
    }
  }

  /** The text that the model was trained on; null if it is gone and not needed. */
  async #trainingText(path: string): Promise<Corpus | null> {
    const { corpus, settings } = this.#opened.config;
    const progress = { note: () => {}, status: (line: string) => this.#terminal.status(line) };
    try {
      if (corpus === null) throw new DataError("the run does not name its training text");
      return await readAgain(corpus, settings, cachePlace({}, path, processes()), progress);
    } catch (error) {
      if (!(error instanceof NopeekError)) throw error;
      const why = `${this.#flags.newOnly ? "--new-only: " : ""}cannot compare with the training text: ${error.message}`;
      if (this.#flags.newOnly) throw new ConfigError(why, { cause: error });
      this.#terminal.note(why);
      return null;
    } finally {
      this.#terminal.clearStatus();
    }
  }

  async #generate(count: number): Promise<Item[]> {
    const { model, tokenizer } = this.#opened;
    const { tokens, overflow, stop = [] } = this.#flags;
    const rows = Array.from({ length: count }, () => new Continuation(tokenizer, stop));
    const first = this.#attempts;
    this.#attempts += count;
    const stream = generateBatch(model, [this.#prompt.ids], {
      tokens,
      settings: sampleSettingsOf(this.#flags),
      overflow,
      samples: count,
      random: (sample) => randomOf(this.#flags, first + sample),
      stop: (_, row) => rows[row].stopped,
    });
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) {
      rows[next.value.row].take(next.value.choice);
      await nextTurn();
    }
    const ended = next.value;
    return rows.map((continuation, row) => {
      continuation.end();
      return { text: this.#prompt.shown + continuation.text, continuation, ended: ended[row] };
    });
  }

  /**
   * Counts a document and prints it, unless it is to be left out.
   *
   * @param copied whether it is in the training text; null if that is not known
   * @returns      whether it was printed
   */
  #take({ text, continuation, ended }: Item, copied: boolean | null): boolean {
    const { newOnly = false, json, seed } = this.#flags;
    const repeated = this.#written.has(text);
    this.#written.add(text);
    if (copied === true) this.#copied += 1;
    else if (repeated) this.#repeated += 1;
    if (newOnly && (copied === true || repeated)) return false;
    if (!continuation.stopped) this.#cut += 1;
    const { documents } = this.#opened.config.settings;
    if (json) this.#terminal.json({ prompt: this.#prompt.text, ...continuation.toJSON(ended), copied, seed });
    else this.#terminal.write(`${text}${separatorOf(documents)}`);
    return true;
  }

  #report(corpus: Corpus | null, printed: number): void {
    const { items = 0, newOnly = false, tokens } = this.#flags;
    const note = (line: string) => this.#terminal.note(line);
    if (corpus !== null) {
      const where = `the training text (${corpus.path})`;
      const repeats = this.#repeated === 0 ? "" : `, ${formatCount(this.#repeated)} repeat another`;
      note(
        newOnly
          ? `left out ${formatCount(this.#copied)} of ${formatCount(this.#copied + this.#repeated + printed)} that occur in ${where}, and ${plural(this.#repeated, "repeat")}`
          : `${formatCount(this.#copied)} of ${formatCount(printed)} occur in ${where}${repeats}`,
      );
    }
    if (printed < items)
      note(`only ${formatCount(printed)} of ${formatCount(items)} found; a higher --temperature finds more`);
    if (this.#cut > 0) note(`${formatCount(this.#cut)} of them did not end within --tokens ${tokens}`);
  }
}
