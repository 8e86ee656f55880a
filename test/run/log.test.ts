import { expect, it } from "vitest";
import { RunDirectory } from "../../src/run/directory.ts";
import { samplesOf } from "../../src/run/log.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";

const LOG = "/run/log.jsonl";

function newRun() {
  const files = new MemoryFiles();
  return { files, run: RunDirectory.create("/run", {}, { files }) };
}

const text = (files: MemoryFiles) => new TextDecoder().decode(files.read(LOG));

it("is empty before anything is logged", () => {
  expect(newRun().run.readLog()).toEqual([]);
});

it("appends one line per entry and reads them back", () => {
  const { run, files } = newRun();
  run.appendLog({ step: 1, lossNats: 3.5 });
  run.appendLog({ step: 1, kind: "evaluation", text: "a\nb" });
  expect(text(files)).toBe('{"step":1,"lossNats":3.5}\n{"step":1,"kind":"evaluation","text":"a\\nb"}\n');
  expect(run.readLog()).toEqual([
    { step: 1, lossNats: 3.5 },
    { step: 1, kind: "evaluation", text: "a\nb" },
  ]);
});

it("discards later entries on a resume, and keeps every byte", () => {
  const { run, files } = newRun();
  for (const step of [1, 2, 3, 4, 5]) run.appendLog({ step, round: 1 });
  run.resumeLog(3, 100);
  for (const step of [4, 5, 6]) run.appendLog({ step, round: 2 });
  const before = text(files);
  run.resumeLog(4, 50);
  run.appendLog({ step: 5, round: 3 });
  expect(run.readLog().map(({ step, round }) => [step, round])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 3],
  ]);
  expect(text(files).startsWith(before)).toBe(true);
});

it("keeps reading after a line truncated at any byte", () => {
  const line = '{"step":3,"lossNats":2.25}';
  for (let length = 0; length < line.length; length++) {
    const { run, files } = newRun();
    run.appendLog({ step: 1 });
    run.appendLog({ step: 2, lossNats: 2.5 });
    files.append(LOG, line.slice(0, length));
    const again = RunDirectory.open("/run", { files });
    expect(again.readLog()).toEqual([{ step: 1 }, { step: 2, lossNats: 2.5 }]);
    again.resumeLog(1, 9);
    again.appendLog({ step: 2 });
    expect(again.readLog()).toEqual([{ step: 1 }, { step: 2 }]);
  }
});

it("reads the samples of a log: the later of two at one step, and no other entries", () => {
  const text = (step: number, words: string) => ({ kind: "sample", step, text: words });
  const other = { kind: "step", step: 2, text: "no" };
  const broken = { kind: "sample", step: 2, text: 7 };
  expect(samplesOf([text(4, "a"), text(2, "b"), other, broken, text(4, "c")])).toEqual([
    text(2, "b"),
    text(4, "c"),
  ]);
});
