/**
 * Trains a GPT on a string, and continues a prompt.
 *
 *   npx tsx docs/examples/train.ts
 */
import {
  CharTokenizer,
  Context,
  GPT,
  generateText,
  gptConfigOf,
  NextToken,
  openBackend,
  presetOf,
  Random,
  resolveSettings,
  Trainer,
} from "nopeek";

const text = "the cat sat on the mat and the dog sat on the log. ".repeat(20);
const settings = resolveSettings(presetOf("tiny").settings, { steps: 500, contextLength: 64, seed: 7 });

const tokenizer = CharTokenizer.fromText(text);
const backend = await openBackend("wasm");
const context = new Context(backend);
const config = gptConfigOf(settings, tokenizer.vocabSize);
const model = new GPT(context, config, Random.of(settings.seed, "weights"));
const objective = new NextToken(model, tokenizer.encode(text), settings);
const trainer = new Trainer(model, objective, settings);

while (trainer.stepsDone < settings.steps) {
  const { step, lossNats } = await trainer.step();
  if (step === 1 || step % 100 === 0) console.log(`step ${step}: loss ${lossNats.toFixed(4)}`);
}

let written = "the cat";
const options = { tokens: 43, random: Random.of(7, "sample"), settings: { strategy: "greedy" } } as const;
for await (const piece of generateText(model, tokenizer, written, options)) written += piece;
console.log(written);

context.close();
await backend.close();
