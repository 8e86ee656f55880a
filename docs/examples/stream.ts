/**
 * Streams text from the bundled model until a stop string.
 *
 *   npx tsx docs/examples/stream.ts
 */
import { Context, generateText, loadGPT, openBackend, Random } from "nopeek";

const backend = await openBackend("wasm");
const { model, tokenizer } = loadGPT(new Context(backend));

const prompt = "One misty Sunday in Ashford, ";
process.stdout.write(prompt);
const pieces = generateText(model, tokenizer, prompt, {
  tokens: 400,
  random: Random.of(3),
  settings: { temperature: 0.6, topK: 20 },
  overflow: "slide",
  stops: ["\n"],
});
for await (const piece of pieces) process.stdout.write(piece);
process.stdout.write("\n");
await backend.close();
