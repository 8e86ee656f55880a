/**
 * Attention maps: for each head of the bundled model, the position that the last character of a prompt attends to most.
 *
 *   npx tsx docs/examples/attention-maps.ts
 */
import { Context, inspect, loadGPT, openBackend } from "nopeek";

const prompt = "One day the cat";
const backend = await openBackend("wasm");
const context = new Context(backend);
const { model, tokenizer } = loadGPT(context);
const { heads } = model.config;

const maps = await context.scope("no-grad", async () => {
  const { blocks } = inspect(model, { ids: tokenizer.encode(prompt), batchSize: 1 });
  return Promise.all(blocks.map(({ attention }) => attention.read()));
});

const T = prompt.length;
maps.forEach((weights, layer) => {
  for (let head = 0; head < heads; head++) {
    // The last row of the head's map (T, T): what the last position takes from each position. It sums to 1.
    const row = weights.subarray((head * T + T - 1) * T, (head * T + T) * T);
    const most = row.indexOf(Math.max(...row));
    const share = (100 * row[most]).toFixed(0);
    console.log(
      `layer ${layer} head ${head}: position ${T - 1} takes ${share}% from ${most} ("${prompt[most]}")`,
    );
  }
});
await backend.close();
