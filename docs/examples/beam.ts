/**
 * Beam search, and the scores of its results: the sum of ln p over all tokens.
 *
 *   npx tsx docs/examples/beam.ts
 */
import { beamSearch, Context, type Hypothesis, loadGPT, openBackend, scoreSequences } from "nopeek";

const backend = await openBackend("wasm");
const { model, tokenizer } = loadGPT(new Context(backend));
const prompt = "By the oak sat ";

/** The generator yields a report for each step and returns the hypotheses, best first. */
async function search(beams: number): Promise<Hypothesis> {
  const settings = { beams, best: 1, lengthPenalty: 0 };
  const steps = beamSearch(model, tokenizer.encode(prompt), { tokens: 24, settings, overflow: "stop" });
  for (let next = await steps.next(); ; next = await steps.next()) if (next.done) return next.value[0];
}

for (const beams of [1, 8]) {
  const { tokens, score } = await search(beams);
  console.log(`width ${beams}: ${score.toFixed(4)} nats for ${JSON.stringify(tokenizer.decode(tokens))}`);
  // The same score from one pass over the whole text, without a cache, minus the score of the prompt.
  const ids = [...tokenizer.encode(prompt), ...tokens];
  const [whole, head] = await scoreSequences(model, [ids, tokenizer.encode(prompt)]);
  console.log(`scored again: ${(whole.total - head.total).toFixed(4)} nats`);
}
await backend.close();
