/** `nopeek sample`: text from a trained model, shown as it comes. */
import { existsSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CheckpointError, ConfigError } from "../errors.ts";
import { Random } from "../random.ts";
import { generate } from "../sample/generate.ts";
import type { SampleSettings } from "../sample/strategies.ts";
import type { CommonFlags } from "./flags.ts";
import { formatCount } from "./format.ts";
import { openModel, SHIPPED_MODEL_PATH } from "./open-model.ts";
import { sampleOtherKinds } from "./sample-other-kinds.ts";
import { Terminal } from "./terminal.ts";

interface SampleFlags extends CommonFlags {
  readonly model?: string;
  readonly prompt?: string;
  readonly tokens: number;
  readonly strategy: SampleSettings["strategy"];
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly overflow: "stop" | "slide";
  readonly seed: number;
}

export async function sample(flags: SampleFlags): Promise<void> {
  if (await sampleOtherKinds(flags)) return;
  const terminal = new Terminal();
  checkSeed(flags.seed);
  const { model, tokenizer, backend } = await openModel(
    flags.model ?? shippedModel(),
    flags.backend,
    flags.threads ?? 1,
  );
  const prompt = flags.prompt ?? "\n";
  const { strategy, temperature, tokens, overflow, seed } = flags;
  const settings = { strategy, temperature, topK: flags.topK ?? null, topP: flags.topP ?? null };
  const options = { tokens, settings, overflow, random: Random.of(seed, "sample") };

  const decoder = tokenizer.decoder();
  const ids: number[] = [];
  let text = "";
  const show = (piece: string) => {
    text += piece;
    if (!flags.json) terminal.write(piece);
  };

  const startMs = performance.now();
  const stream = generate(model, tokenizer.encode(prompt), options);
  // The prompt is shown where the person gave one, so that the text reads on from it.
  if (flags.prompt !== undefined && !flags.json) terminal.write(flags.prompt);
  let next = await stream.next();
  for (; !next.done; next = await stream.next()) {
    ids.push(next.value);
    show(decoder.push(next.value));
    // That nobody reads on is noticed in a turn of the event loop.
    await nextTurn();
  }
  show(decoder.end());
  const elapsedMs = performance.now() - startMs;

  if (flags.json) {
    terminal.json({ prompt, text, tokens: ids, ended: next.value, seed, settings, overflow });
  } else {
    terminal.write("\n");
    const rate = formatCount((1000 * ids.length) / Math.max(elapsedMs, 1e-3));
    if (next.value === "context") {
      terminal.note(
        `(the context of ${model.config.contextLength} tokens is full; --overflow slide goes on)`,
      );
    }
    if (terminal.live) terminal.note(`${formatCount(ids.length)} tokens, ${rate} a second, seed ${seed}`);
  }
  await backend.close();
}

function shippedModel(): string {
  if (existsSync(SHIPPED_MODEL_PATH)) return SHIPPED_MODEL_PATH;
  throw new CheckpointError(
    `${SHIPPED_MODEL_PATH}: the model that comes with nopeek is not there; name one of yours with --model, or train one: npx nopeek train`,
  );
}

function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new ConfigError(`--seed must be a whole number of at least 0: got ${seed}`);
}
