/**
 * Beam search, and scoring what it found: the sum of ln p of each token, which no shorter look than the whole text tells.
 *
 *   npx tsx docs/examples/beam.ts
 */
import { beamSearch, Context, type Hypothesis, loadGPT, openBackend, scoreSequences } from "nopeek";

const backend = await openBackend("wasm");
const { model, tokenizer } = loadGPT(new Context(backend));
const prompt = "By the oak sat ";

/** The generator gives a report of each step; what it returns at its end is what was found. */
async function search(beams: number): Promise<Hypothesis> {
  const settings = { beams, best: 1, lengthPenalty: 0 };
  const steps = beamSearch(model, tokenizer.encode(prompt), { tokens: 24, settings, overflow: "stop" });
  for (let next = await steps.next(); ; next = await steps.next()) if (next.done) return next.value[0];
}

for (const beams of [1, 8]) {
  const { tokens, score } = await search(beams);
  console.log(`width ${beams}: ${score.toFixed(4)} nats for ${JSON.stringify(tokenizer.decode(tokens))}`);
  // The same from one pass over the whole text, without a cache: what the prompt itself costs is taken off.
  const ids = [...tokenizer.encode(prompt), ...tokens];
  const [whole, head] = await scoreSequences(model, [ids, tokenizer.encode(prompt)]);
  console.log(`scored again: ${(whole.total - head.total).toFixed(4)} nats`);
}
await backend.close();
