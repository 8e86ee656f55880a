/** `nopeek bench`: times a training step and a sampled token on this machine. */
import { Context } from "../../autograd/context.ts";
import { nameOf } from "../../backend/names.ts";
import { presetOf } from "../../config/presets.ts";
import { parseSettings } from "../../config/settings.ts";
import { ConfigError } from "../../errors.ts";
import { GPT } from "../../nn/gpt.ts";
import { countNumbers } from "../../nn/parameters.ts";
import { Random } from "../../random.ts";
import { gptConfigOf } from "../../run/config.ts";
import { nextLogits } from "../../sample/logits.ts";
import { NextToken } from "../../train/objectives/next-token.ts";
import { Trainer } from "../../train/trainer.ts";
import { formatCount, median, plural } from "../../util/format.ts";
import { type CommonFlags, givenSettings, threadsOf } from "../options/settings-flags.ts";
import { checkMemory } from "../shared/memory-check.ts";
import { openBackend } from "../shared/open-backend.ts";
import { nowMs } from "../terminal/clock.ts";
import { Terminal } from "../terminal/output.ts";

interface BenchFlags extends CommonFlags {
  readonly preset: string;
  readonly rounds: number;
  readonly [setting: string]: unknown;
}

/** Vocabulary sizes: the characters of tiny Shakespeare, all bytes, GPT-2's. The text itself does not affect the time. */
const VOCAB_SIZE = { char: 65, byte: 256, huggingface: 50_257 } as const;
const WARM_UP_ROUNDS = 3;

export async function bench(flags: BenchFlags): Promise<void> {
  const terminal = new Terminal();
  if (!Number.isInteger(flags.rounds) || flags.rounds < 1) {
    throw new ConfigError(`--rounds must be a whole number of at least 1: got ${flags.rounds}`);
  }
  const settings = parseSettings(presetOf(flags.preset).settings, givenSettings(flags));
  if (settings.model !== "gpt") {
    throw new ConfigError(`--preset ${flags.preset}: is for ${settings.model}, but bench only times a gpt`);
  }
  const { tokenizer } = settings;
  const vocabSize = tokenizer === "bpe" ? settings.vocabSize : VOCAB_SIZE[tokenizer];
  const config = gptConfigOf(settings, vocabSize);
  checkMemory(config, settings.batchSize);
  const backend = await openBackend(flags, threadsOf(flags));
  const random = Random.of(settings.seed, "bench");
  const model = new GPT(new Context(backend), config, random);
  const corpusLength = 100 * (settings.contextLength + 1);
  const ids = Int32Array.from({ length: corpusLength }, () => random.below(vocabSize));
  const trainer = new Trainer(model, new NextToken(model, ids, settings), settings);

  const stepMs = await timeEach(flags.rounds, () => trainer.step());
  const tokenMs = await timeTokens(model, flags.rounds);
  const msPerStep = median(stepMs);
  const msPerToken = median(tokenMs);
  const tokensPerSecond = (1000 * trainer.tokensPerStep) / msPerStep;
  const parameters = countNumbers(model.parameters());

  if (flags.json) {
    terminal.json({
      msPerStep,
      tokensPerSecond,
      msPerToken,
      backend: backend.name,
      library: backend.library,
      threads: backend.threads,
      parameters,
      rounds: flags.rounds,
      settings,
    });
  } else {
    terminal.write(
      `training   ${msPerStep.toFixed(2)} ms per step, ${formatCount(tokensPerSecond)} tokens per second\n`,
    );
    terminal.write(
      `sampling   ${msPerToken.toFixed(3)} ms per token, ${formatCount(1000 / msPerToken)} tokens per second\n`,
    );
    terminal.note(
      `medians of ${flags.rounds} rounds; ${nameOf(backend)}, ${plural(backend.threads, "thread")}, ${formatCount(parameters)} parameters, batches of ${settings.batchSize} windows of ${settings.contextLength}`,
    );
  }
  await backend.close();
}

/** Times `rounds` calls after a few warm-up calls. */
async function timeEach(rounds: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const startMs = nowMs();
    await work();
    if (round >= 0) times.push(nowMs() - startMs);
  }
  return times;
}

/** Times single tokens while the cache fills from empty to full in each round. */
async function timeTokens(model: GPT, rounds: number): Promise<number[]> {
  const cache = model.makeCache(1);
  const times: number[] = [];
  for (let round = -1; round < rounds; round++) {
    cache.clear();
    while (cache.length < cache.capacity) {
      const startMs = nowMs();
      await nextLogits(model, cache, [1]);
      if (round >= 0) times.push(nowMs() - startMs);
    }
  }
  cache.free();
  return times;
}
