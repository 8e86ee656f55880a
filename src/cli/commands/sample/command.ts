/** `nopeek sample`: text from a trained model, shown as it comes; or several texts, or the best that a search finds. */
import { existsSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CheckpointError } from "../../../errors.ts";
import { Random } from "../../../random.ts";
import { readSavedModel } from "../../../run/saved-model.ts";
import { type BeamStep, beamSearch } from "../../../sample/beam-search.ts";
import { explain } from "../../../sample/explain.ts";
import { checkPrompts, type EndReason, generate } from "../../../sample/generate.ts";
import { generateBatch } from "../../../sample/generate-batch.ts";
import type { Choice } from "../../../sample/strategies.ts";
import { holdsStop } from "../../../sample/text-stream.ts";
import { formatCount } from "../../../util/format.ts";
import { encodeKnown, type Known } from "../../options/unknown-characters.ts";
import { checkBeamMemory } from "../../shared/memory-check.ts";
import { buildOn, type OpenModel, onlyGPT, SHIPPED_MODEL_PATH } from "../../shared/open-model.ts";
import { nowMs } from "../../terminal/clock.ts";
import { Terminal } from "../../terminal/output.ts";
import { Continuation } from "./continuation.ts";
import { beamsToJSON, choiceToJSON, describeBeams, describeChoice, EXPLAINED_TOKENS } from "./explanation.ts";
import {
  beamSettingsOf,
  checkSampleFlags,
  idleFlags,
  type SampleFlags,
  sampleSettingsOf,
  samplesOf,
} from "./flags.ts";
import { sampleOtherKind } from "./other-models.ts";

/** So many texts share a pass; with more, memory would grow and time would hardly shrink. */
const MOST_ROWS = 64;

export async function sample(flags: SampleFlags): Promise<void> {
  const path = flags.model ?? shippedModel();
  const saved = readSavedModel(path);
  if (saved.config.settings.model !== "gpt") return sampleOtherKind(saved, flags);
  const terminal = new Terminal();
  checkSampleFlags(flags);
  const idle = idleFlags(flags);
  if (idle.length > 0)
    terminal.note(`greedy takes the most probable token: ${idle.join(", ")} changes nothing`);
  const opened = onlyGPT(await buildOn(saved, flags, flags.threads ?? 1), path);
  await new Sampling(terminal, flags, opened).go();
  await opened.backend.close();
}

class Sampling {
  readonly #terminal: Terminal;
  readonly #flags: SampleFlags;
  readonly #opened: OpenModel;
  readonly #prompts: readonly Known[];
  readonly #startMs = nowMs();
  #tokenCount = 0;
  #contextFull = false;

  constructor(terminal: Terminal, flags: SampleFlags, opened: OpenModel) {
    const { model, tokenizer } = opened;
    this.#terminal = terminal;
    this.#flags = flags;
    this.#opened = opened;
    this.#prompts = (flags.prompt ?? ["\n"]).map((text) =>
      encodeKnown(tokenizer, text, flags.unknown, terminal),
    );
    checkPrompts(
      model,
      this.#prompts.map(({ ids }) => ids),
    );
  }

  async go(): Promise<void> {
    if (this.#flags.strategy === "beam") await this.#search();
    else if (this.#prompts.length * samplesOf(this.#flags) === 1) await this.#writeOne(this.#prompts[0]);
    else await this.#writeMany();
    if (this.#flags.json) return;
    const { contextLength } = this.#opened.model.config;
    if (this.#contextFull) {
      this.#terminal.note(`(the context of ${contextLength} tokens is full; --overflow slide goes on)`);
    }
    if (!this.#terminal.live) return;
    const elapsedMs = nowMs() - this.#startMs;
    const rate = formatCount((1000 * this.#tokenCount) / Math.max(elapsedMs, 1e-3));
    this.#terminal.note(
      `${formatCount(this.#tokenCount)} tokens, ${rate} a second, seed ${this.#flags.seed}`,
    );
  }

  /** One text, shown as it comes; with --explain when it is whole, after its explanation. */
  async #writeOne(prompt: Known): Promise<void> {
    const { tokens, overflow, json } = this.#flags;
    const continuation = this.#begin();
    const steps: unknown[] = [];
    const streaming = !json && !this.#flags.explain;
    const show = (piece: string) => {
      if (streaming) this.#terminal.write(piece);
    };
    const stream = generate(this.#opened.model, prompt.ids, {
      tokens,
      settings: sampleSettingsOf(this.#flags),
      overflow,
      random: this.#randomOf(0),
      stop: () => continuation.stopped,
    });
    show(this.#shownPrompt(prompt));
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) {
      show(continuation.take(next.value));
      this.#explain(next.value, `step ${continuation.tokens.length}`, steps);
      // That nobody reads on is noticed in a turn of the event loop.
      await nextTurn();
    }
    show(continuation.end());
    if (streaming) this.#terminal.write("\n");
    this.#count(continuation, next.value);
    if (!streaming) this.#tell(prompt, continuation, next.value, steps, {}, null);
  }

  /** Several texts, each shown when it and those beside it are whole. */
  async #writeMany(): Promise<void> {
    const samples = samplesOf(this.#flags);
    const together = Math.min(samples, MOST_ROWS);
    const promptsTogether = Math.max(1, Math.floor(MOST_ROWS / together));
    for (let p = 0; p < this.#prompts.length; p += promptsTogether) {
      for (let first = 0; first < samples; first += together) {
        const prompts = this.#prompts.slice(p, p + promptsTogether);
        await this.#writeRows(prompts, first, Math.min(together, samples - first));
      }
    }
  }

  async #writeRows(prompts: readonly Known[], firstSample: number, samples: number): Promise<void> {
    const { tokens, overflow } = this.#flags;
    const all = samplesOf(this.#flags);
    const rows = Array.from({ length: prompts.length * samples }, (_, row) => {
      const sample = firstSample + (row % samples);
      const prompt = prompts[Math.floor(row / samples)];
      const number = this.#prompts.indexOf(prompt) * all + sample + 1;
      const name = `text ${number} of ${this.#prompts.length * all}`;
      const steps: unknown[] = [];
      return { prompt, sample, name, continuation: this.#begin(), steps };
    });
    const stream = generateBatch(
      this.#opened.model,
      prompts.map(({ ids }) => ids),
      {
        tokens,
        settings: sampleSettingsOf(this.#flags),
        overflow,
        samples,
        random: (sample) => this.#randomOf(firstSample + sample),
        stop: (_, row) => rows[row].continuation.stopped,
      },
    );
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) {
      const { row, choice } = next.value;
      const { continuation, name, steps } = rows[row];
      continuation.take(choice);
      this.#explain(choice, `step ${continuation.tokens.length} of ${name}`, steps);
      await nextTurn();
    }
    for (const [row, { prompt, sample, name, continuation, steps }] of rows.entries()) {
      continuation.end();
      this.#count(continuation, next.value[row]);
      this.#tell(prompt, continuation, next.value[row], steps, { sample }, name);
    }
  }

  async #search(): Promise<void> {
    const { tokens, overflow, stop = [] } = this.#flags;
    const { model, tokenizer } = this.#opened;
    const settings = beamSettingsOf(this.#flags);
    checkBeamMemory(model.config, settings.beams);
    for (const [p, prompt] of this.#prompts.entries()) {
      const steps: unknown[] = [];
      const ends = (ids: readonly number[]) => holdsStop(tokenizer, stop, ids);
      const options = { tokens, settings, overflow, ...(stop.length > 0 ? { ends } : {}) };
      const stream = beamSearch(model, prompt.ids, options);
      let next = await stream.next();
      for (let count = 1; !next.done; next = await stream.next(), count++) {
        const heading = this.#prompts.length === 1 ? `step ${count}` : `step ${count} of prompt ${p + 1}`;
        this.#explainBeams(next.value, heading, steps);
        await nextTurn();
      }
      const results = next.value;
      for (const [i, { score, ended, ...found }] of results.entries()) {
        const continuation = Continuation.of(tokenizer, stop, found.tokens, found.logProbabilities);
        this.#count(continuation, ended);
        const lone = results.length === 1 && this.#prompts.length === 1;
        const of = this.#prompts.length === 1 ? "" : ` for prompt ${p + 1}`;
        const name = lone ? null : `best ${i + 1} of ${results.length}${of}, score ${score.toFixed(4)}`;
        // The steps are those of one search: they stand with its best result.
        this.#tell(prompt, continuation, ended, i === 0 ? steps : [], { rank: i + 1, score }, name);
      }
    }
  }

  #begin(): Continuation {
    return new Continuation(this.#opened.tokenizer, this.#flags.stop ?? []);
  }

  /** Each sample has randomness of its own; that of the first is a lone text's. */
  #randomOf(sample: number): Random {
    const labels = sample === 0 ? [] : [sample];
    return Random.of(this.#flags.seed, "sample", ...labels);
  }

  /** Told on stderr, or kept for the result. */
  #explain(choice: Choice, heading: string, steps: unknown[]): void {
    if (!this.#flags.explain) return;
    const { tokenizer } = this.#opened;
    const explanation = explain(choice, EXPLAINED_TOKENS);
    if (this.#flags.json) steps.push(choiceToJSON(tokenizer, explanation));
    else this.#terminal.note(describeChoice(tokenizer, heading, explanation));
  }

  /** As `#explain`, for a step of a search. */
  #explainBeams(step: BeamStep, heading: string, steps: unknown[]): void {
    if (!this.#flags.explain) return;
    const { tokenizer } = this.#opened;
    if (this.#flags.json) steps.push(beamsToJSON(tokenizer, step));
    else this.#terminal.note(describeBeams(tokenizer, heading, step));
  }

  /** A whole text: an object on a line, or the text under its name. */
  #tell(
    prompt: Known,
    continuation: Continuation,
    ended: EndReason,
    steps: readonly unknown[],
    more: Readonly<Record<string, number>>,
    name: string | null,
  ): void {
    const { seed, overflow, strategy, json } = this.#flags;
    if (!json) {
      if (name !== null) this.#terminal.write(`── ${name} ──\n`);
      this.#terminal.write(`${this.#shownPrompt(prompt)}${continuation.text}\n`);
      return;
    }
    const settings =
      strategy === "beam" ? { strategy, ...beamSettingsOf(this.#flags) } : sampleSettingsOf(this.#flags);
    this.#terminal.json({
      prompt: prompt.text,
      ...more,
      ...continuation.toJSON(ended),
      seed,
      settings,
      overflow,
      ...(steps.length > 0 ? { steps } : {}),
    });
  }

  #count(continuation: Continuation, ended: EndReason): void {
    this.#tokenCount += continuation.tokens.length;
    this.#contextFull ||= ended === "context";
  }

  /** The prompt is shown where the person gave one, so that the text reads on from it. */
  #shownPrompt({ text }: Known): string {
    return this.#flags.prompt === undefined ? "" : text;
  }
}

function shippedModel(): string {
  if (existsSync(SHIPPED_MODEL_PATH)) return SHIPPED_MODEL_PATH;
  throw new CheckpointError(
    `${SHIPPED_MODEL_PATH}: the model that comes with nopeek is not there; name one of yours with --model, or train one: npx nopeek train`,
  );
}
