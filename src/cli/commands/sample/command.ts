/** `nopeek sample`: streams one text as it is sampled, or prints several texts or the results of a beam search. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { defaultPrompt, type Prompt } from "../../../run/default-prompt.ts";
import { type BeamStep, beamSearch } from "../../../sample/beam-search.ts";
import { explain } from "../../../sample/explain.ts";
import { checkPrompts, type EndReason, generate } from "../../../sample/generate.ts";
import { generateBatch } from "../../../sample/generate-batch.ts";
import type { Choice } from "../../../sample/strategies.ts";
import { hasEnd } from "../../../sample/text-stream.ts";
import { encodeDocument } from "../../../text/tokenizer.ts";
import { formatCount } from "../../../util/format.ts";
import { promptTexts } from "../../options/prompts.ts";
import { encodeKnown, reportImpossibleStops } from "../../options/unknown-characters.ts";
import { checkBeamMemory } from "../../shared/memory-check.ts";
import { buildOn, type OpenModel, onlyGPT, readModel } from "../../shared/open-model.ts";
import { nowMs } from "../../terminal/clock.ts";
import { Terminal } from "../../terminal/output.ts";
import { Continuation } from "./continuation.ts";
import { beamsToJSON, choiceToJSON, describeBeams, describeChoice, EXPLAINED_TOKENS } from "./explanation.ts";
import {
  beamSettingsOf,
  checkSampleFlags,
  ignoredFlags,
  randomOf,
  type SampleFlags,
  sampleSettingsOf,
  samplesOf,
} from "./flags.ts";
import { checkItems, ItemWriter } from "./items.ts";
import { sampleOtherKind } from "./other-models.ts";

/** The most texts in one batch. More would cost memory and save hardly any time. */
const MAX_ROWS = 64;

export async function sample(word: string | undefined, given: SampleFlags): Promise<void> {
  const { prompt, escapes } = given;
  const flags = prompt === undefined ? given : { ...given, prompt: promptTexts(prompt, escapes) };
  const terminal = new Terminal();
  const saved = readModel(flags, word, terminal);
  if (saved.config.settings.model !== "gpt") return sampleOtherKind(saved, flags, terminal);
  checkSampleFlags(flags);
  const ignored = ignoredFlags(flags);
  if (ignored.length > 0)
    terminal.note(
      `--strategy greedy always chooses the most probable token, so it ignores ${ignored.join(", ")}`,
    );
  if (flags.items !== undefined) checkItems(saved.config, saved.path);
  const opened = onlyGPT(await buildOn(saved, flags, flags.threads ?? 1), saved.path);
  if (flags.items === undefined) await new Sampling(terminal, flags, opened).run();
  else await new ItemWriter(terminal, flags, opened).run(saved.path);
  await opened.backend.close();
}

class Sampling {
  readonly #terminal: Terminal;
  readonly #flags: SampleFlags;
  readonly #opened: OpenModel;
  readonly #prompts: readonly Prompt[];
  readonly #startMs = nowMs();
  #tokenCount = 0;
  #contextFull = false;

  constructor(terminal: Terminal, flags: SampleFlags, opened: OpenModel) {
    const { model, tokenizer, config } = opened;
    this.#terminal = terminal;
    this.#flags = flags;
    this.#opened = opened;
    this.#prompts = flags.prompt?.map((given) => {
      const { text } = encodeKnown(tokenizer, given, flags.unknown, terminal);
      return { text, ids: encodeDocument(tokenizer, text), shown: flags.echo === false ? "" : text };
    }) ?? [defaultPrompt(config)];
    reportImpossibleStops(terminal, tokenizer, flags.stop, "--stop");
    checkPrompts(
      model,
      this.#prompts.map(({ ids }) => ids),
    );
  }

  async run(): Promise<void> {
    if (this.#flags.strategy === "beam") await this.#search();
    else if (this.#prompts.length * samplesOf(this.#flags) === 1) await this.#writeOne(this.#prompts[0]);
    else await this.#writeMany();
    if (this.#flags.json) return;
    const { contextLength } = this.#opened.model.config;
    if (this.#contextFull) {
      this.#terminal.note(
        `(the context of ${contextLength} tokens is full; --overflow slide would continue)`,
      );
    }
    if (!this.#terminal.live) return;
    const elapsedMs = nowMs() - this.#startMs;
    const rate = formatCount((1000 * this.#tokenCount) / Math.max(elapsedMs, 1e-3));
    this.#terminal.note(
      `${formatCount(this.#tokenCount)} tokens, ${rate} per second, seed ${this.#flags.seed}`,
    );
  }

  /** Generates one text and streams it. With --explain, prints it at the end, after the explanation. */
  async #writeOne(prompt: Prompt): Promise<void> {
    const { tokens, overflow, json } = this.#flags;
    const continuation = this.#begin();
    const steps: unknown[] = [];
    const streaming = !json && !this.#flags.explain;
    const show = (piece: string) => {
      if (streaming) this.#terminal.text(piece);
    };
    const stream = generate(this.#opened.model, prompt.ids, {
      tokens,
      settings: sampleSettingsOf(this.#flags),
      overflow,
      random: randomOf(this.#flags, 0),
      stop: () => continuation.stopped,
    });
    show(prompt.shown);
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) {
      show(continuation.take(next.value));
      this.#explain(next.value, `step ${continuation.tokens.length}`, steps);
      // A closed output stream is only reported in a turn of the event loop.
      await nextTurn();
    }
    show(continuation.end());
    if (streaming) this.#terminal.write("\n");
    this.#count(continuation, next.value);
    if (!streaming) this.#print(prompt, continuation, next.value, steps, {}, null);
  }

  /** Generates several texts in batches, each printed when its batch is complete. */
  async #writeMany(): Promise<void> {
    const samples = samplesOf(this.#flags);
    const samplesPerBatch = Math.min(samples, MAX_ROWS);
    const promptsPerBatch = Math.max(1, Math.floor(MAX_ROWS / samplesPerBatch));
    for (let p = 0; p < this.#prompts.length; p += promptsPerBatch) {
      for (let first = 0; first < samples; first += samplesPerBatch) {
        const prompts = this.#prompts.slice(p, p + promptsPerBatch);
        await this.#writeRows(prompts, first, Math.min(samplesPerBatch, samples - first));
      }
    }
  }

  async #writeRows(prompts: readonly Prompt[], firstSample: number, samples: number): Promise<void> {
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
        random: (sample) => randomOf(this.#flags, firstSample + sample),
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
      this.#print(prompt, continuation, next.value[row], steps, { sample }, name);
    }
  }

  async #search(): Promise<void> {
    const { tokens, overflow, stop = [] } = this.#flags;
    const { model, tokenizer } = this.#opened;
    const settings = beamSettingsOf(this.#flags);
    checkBeamMemory(model.config, settings.beams);
    for (const [p, prompt] of this.#prompts.entries()) {
      const steps: unknown[] = [];
      const ends = (ids: readonly number[]) => hasEnd(tokenizer, stop, ids);
      const options = {
        tokens,
        settings,
        overflow,
        ...(stop.length > 0 || tokenizer.endOfText !== null ? { ends } : {}),
      };
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
        // All results come from one search, so only the best one lists its steps.
        this.#print(prompt, continuation, ended, i === 0 ? steps : [], { rank: i + 1, score }, name);
      }
    }
  }

  #begin(): Continuation {
    return new Continuation(this.#opened.tokenizer, this.#flags.stop ?? []);
  }

  /** Prints the explanation of a step on stderr, or collects it for the JSON result. */
  #explain(choice: Choice, heading: string, steps: unknown[]): void {
    if (!this.#flags.explain) return;
    const { tokenizer } = this.#opened;
    const explanation = explain(choice, EXPLAINED_TOKENS);
    if (this.#flags.json) steps.push(choiceToJSON(tokenizer, explanation));
    else this.#terminal.note(describeChoice(tokenizer, heading, explanation));
  }

  /** The same for a step of a beam search. */
  #explainBeams(step: BeamStep, heading: string, steps: unknown[]): void {
    if (!this.#flags.explain) return;
    const { tokenizer } = this.#opened;
    if (this.#flags.json) steps.push(beamsToJSON(tokenizer, step));
    else this.#terminal.note(describeBeams(tokenizer, heading, step));
  }

  /** Prints a complete text: as JSON, or as text below its name. */
  #print(
    prompt: Prompt,
    continuation: Continuation,
    ended: EndReason,
    steps: readonly unknown[],
    more: Readonly<Record<string, number>>,
    name: string | null,
  ): void {
    const { seed, overflow, strategy, json } = this.#flags;
    if (!json) {
      if (name !== null) this.#terminal.write(`── ${name} ──\n`);
      this.#terminal.text(`${prompt.shown}${continuation.text}\n`);
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
}
