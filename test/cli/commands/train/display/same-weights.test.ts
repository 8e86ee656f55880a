/** The display does not affect the trained weights, with dropout, averaged weights and samples. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { train } from "../../../../../src/cli/commands/train/command.ts";
import { LiveProgress } from "../../../../../src/cli/commands/train/display/live-progress.ts";
import type { TrainFlags } from "../../../../../src/cli/commands/train/plan-run.ts";
import { PlainProgress } from "../../../../../src/cli/commands/train/progress.ts";
import { Emulator } from "../../../../support/emulator.ts";
import { makeFolderWithText } from "../../../../support/program.ts";

const { folder } = makeFolderWithText(200);
const tiny = { layers: 1, heads: 2, dModel: 6, batchSize: 3, evalBatches: 1 };
const training = { steps: 60, evalInterval: 10, checkpointInterval: 30, dropout: 0.2, averageSteps: 5 };

afterEach(() => vi.restoreAllMocks());

async function filesOf(name: string, flags: TrainFlags, open?: Parameters<typeof train>[1]) {
  const out = join(folder, name);
  await train({ ...flags, ...tiny, ...training, out }, open);
  const step = join(out, "step-000060");
  return new Map(
    readdirSync(step)
      .filter((file) => file.endsWith(".safetensors"))
      .map((file) => [file, readFileSync(join(step, file))]),
  );
}

test.each([
  ["gpt", { data: [join(folder, "text.txt")], contextLength: 13 }],
  ["encoder", { data: [join(folder, "text.txt")], contextLength: 13 }],
  ["seq2seq", { task: "reverse", alphabetSize: 5, maxLength: 5 }],
])("the live display does not affect the weights of %s", async (model, flags) => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const common: TrainFlags = { backend: "wasm", threads: 1, model, ...flags };
  const screen = new Emulator(80, 24);
  const sampled: string[] = [];
  const watched = await filesOf(`${model}-watched`, common, async (_, run) => {
    const live = new LiveProgress({
      screen,
      color: true,
      ascii: false,
      sinks: false,
      steps: run.config.settings.steps,
      reference: run.kind.reference,
      bitsPerByte: (lossNats) => run.kind.bitsPerByte(lossNats),
      before: { training: [], validation: [], estimates: [] },
      // Every step is drawn.
      now: (
        (ms) => () =>
          (ms += 1000)
      )(0),
      memoryBytes: () => 1,
    });
    const show = live.sampled.bind(live);
    vi.spyOn(live, "sampled").mockImplementation((step, text) => {
      sampled.push(text);
      show(step, text);
    });
    return live;
  });
  const alone = await filesOf(`${model}-alone`, common, async (_, run, terminal) => {
    return new PlainProgress(terminal, run.config.settings.steps, 1, () => 0);
  });
  expect(sampled.length).toBeGreaterThan(0);
  expect(sampled[0].length).toBeGreaterThan(0);
  expect((await screen.text()).join("\n")).toContain("step 60 of 60");
  expect([...watched.keys()]).toEqual(["model.safetensors", "optimizer.safetensors"]);
  for (const [file, bytes] of watched) expect(alone.get(file)?.equals(bytes), file).toBe(true);
});
