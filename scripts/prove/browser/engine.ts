/**
 * A run in a browser's worker: it trains what config.json describes on tales.txt, as the command line does, and hashes
 * the checkpoint.
 */
import {
  buildModel,
  Context,
  chooseThreads,
  GPT,
  MemoryFiles,
  NextToken,
  openBackend,
  Random,
  RunDirectory,
  runConfigFromJSON,
  sha256Hex,
  snapshot,
  splitCorpus,
  Trainer,
} from "../../../src/browser.ts";

/** The result of a run. */
export interface BrowserRun {
  readonly threads: number;
  /** The SHA-256 of each file of tensors, by its name. */
  readonly hashes: Readonly<Record<string, string>>;
}

/**
 * @param wantedThreads fewer are used where the browser has no shared memory
 * @throws Error with the reason why the browser cannot compute
 */
export async function repeatRun(wantedThreads: number): Promise<BrowserRun> {
  const [config, text] = await Promise.all([
    fetch("config.json").then((response) => response.json()),
    fetch("tales.txt").then((response) => response.text()),
  ]);
  const { settings, tokenizer } = runConfigFromJSON(config, "config.json");
  const { threads } = chooseThreads(wantedThreads);
  const backend = await openBackend("wasm", threads, { kernels: "kernels.wasm", worker: "threads.js" });
  const random = Random.of(settings.seed, "weights");
  const model = buildModel(new Context(backend), settings, tokenizer.vocabSize, random);
  if (!(model instanceof GPT)) throw new Error("config.json: is not that of a gpt");
  const { train } = splitCorpus<Int32Array>(tokenizer.encode(text));
  const trainer = new Trainer(model, new NextToken(model, train, settings), settings);
  while (trainer.stepsDone < settings.steps) await trainer.step();
  const files = new MemoryFiles();
  const run = RunDirectory.create("/run", config, { files });
  await trainer.evaluating(async () =>
    run.saveStep({
      step: trainer.stepsDone,
      model: await snapshot(model.parameters()),
      optimizer: await snapshot(trainer.optimizerState()),
      state: {},
      best: true,
    }),
  );
  await backend.close();
  const folder = `/run/${run.latest()}`;
  const names = files.list(folder).filter((name) => name.endsWith(".safetensors"));
  const hashes = names.map((name) => [name, sha256Hex(files.read(`${folder}/${name}`))]);
  return { threads, hashes: Object.fromEntries(hashes) };
}
