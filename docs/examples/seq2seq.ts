/**
 * Trains an encoder–decoder to sort the letters of short strings, and tests it on strings that it has not seen.
 *
 *   npx tsx docs/examples/seq2seq.ts
 */
import {
  Context,
  EncoderDecoder,
  gptConfigOf,
  greedyAnswers,
  openBackend,
  padTokens,
  presetOf,
  Random,
  resolveSettings,
  SequenceToSequence,
  ToyTask,
  Trainer,
} from "nopeek";

const small = { alphabetSize: 5, minLength: 2, maxLength: 5, layers: 1, dModel: 32, steps: 300 };
const settings = resolveSettings(presetOf("sort").settings, small);
const letters = "abcdefghijklmnopqrstuvwxyz";
const spell = (ids: readonly number[]) => ids.map((id) => letters[id]).join("");

const backend = await openBackend("wasm");
const context = new Context(backend);
const config = gptConfigOf(settings, settings.alphabetSize);
const model = new EncoderDecoder(context, config, Random.of(settings.seed, "weights"));
const task = new ToyTask(settings);
const trainer = new Trainer(model, new SequenceToSequence(model, task, settings.batchSize), settings);
while (trainer.stepsDone < settings.steps) await trainer.step();

const unseen = task.heldOut(200);
const sources = unseen.map(({ source }) => source);
const answers = await greedyAnswers(model, padTokens(sources, "right"));
const right = unseen.filter(({ answer }, i) => spell(answer) === spell(answers[i].ids));
console.log(`${right.length} of ${unseen.length} unseen strings are sorted without a mistake`);
for (const i of [0, 1, 2]) console.log(`${spell(sources[i])} → ${spell(answers[i].ids)}`);
await backend.close();
