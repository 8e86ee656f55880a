/**
 * A GPT trained on a string, and a sample from it.
 *
 *   npx tsx docs/examples/quickstart.ts
 */
import { trainGPT } from "nopeek";

const text = "the cat sat on the mat and the dog sat on the log. ".repeat(20);
const model = await trainGPT(text, { steps: 500, contextLength: 64 });
console.log(await model.sample("the cat", { tokens: 43, strategy: "greedy" }));
await model.close();
