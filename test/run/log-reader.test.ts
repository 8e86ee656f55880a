/** Which entries of a log count, however long it is, against a plain implementation on arrays. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import { RunDirectory } from "../../src/run/directory.ts";
import { explainFailures } from "../../src/run/files.ts";
import type { LogEntry } from "../../src/run/log.ts";
import { linesOf } from "../../src/run/log-lines.ts";
import { LogReader } from "../../src/run/log-reader.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";

const LOG = "/run/log.jsonl";

function filesWith(text: string | Uint8Array): MemoryFiles {
  const files = new MemoryFiles();
  files.createFolder("/run");
  files.write(LOG, Buffer.from(text));
  return files;
}

const readerOf = (text: string | Uint8Array) => new LogReader(explainFailures(filesWith(text)), "/run");
const entriesOf = (text: string | Uint8Array) => [...readerOf(text).entries()];
const logOf = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join("");
const record = (kind: string, step: number) => ({ kind, step });

/** The entries that count, by the definition: later lines discard earlier ones. */
function countedIn(lines: readonly object[]): LogEntry[] {
  let counted: LogEntry[] = [];
  for (const line of lines) {
    if ("resumedAfterStep" in line)
      counted = counted.filter(({ step }) => step <= Number(line.resumedAfterStep));
    if (!("step" in line) || typeof line.step !== "number") continue;
    const entry = { ...line, step: line.step };
    if ("kind" in entry && entry.kind === "step") counted = counted.filter(({ step }) => step < entry.step);
    counted.push(entry);
  }
  return counted;
}

it("keeps the last entries of overlapping steps in a log without resume lines", () => {
  const lines = [
    record("step", 1),
    record("evaluation", 1),
    record("step", 2),
    record("step", 2),
    record("step", 1),
  ];
  expect(entriesOf(logOf(lines))).toEqual([record("step", 1)]);
  expect(entriesOf(logOf(lines.slice(0, 4)))).toEqual([
    record("step", 1),
    record("evaluation", 1),
    record("step", 2),
  ]);
});

it("counts what the definition counts, whatever was repeated and resumed", () => {
  const steps = fc.integer({ min: 0, max: 9 });
  const line = fc.oneof(
    { weight: 6, arbitrary: steps.map((step) => ({ kind: "step", step, elapsedMs: 1 })) },
    { weight: 2, arbitrary: steps.map((step) => ({ kind: "evaluation", step })) },
    { weight: 1, arbitrary: steps.map((step) => ({ step, kind: "step" })) },
    { weight: 2, arbitrary: steps.map((resumedAfterStep) => ({ resumedAfterStep, steps: 100 })) },
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      expect(entriesOf(logOf(lines))).toEqual(countedIn(lines));
    }),
    { numRuns: 500 },
  );
});

it("reports the steps asked for at the last resume", () => {
  expect(readerOf(logOf([record("step", 1)])).stepsAsked).toBeNull();
  const resumed = (steps?: number) => ({ resumedAfterStep: 1, ...(steps !== undefined && { steps }) });
  expect(readerOf(logOf([resumed(7), record("step", 2), resumed(9), record("step", 2)])).stepsAsked).toBe(9);
  expect(readerOf(logOf([resumed(7), resumed()])).stepsAsked).toBeNull();
});

it("does not read what is appended after it was opened", () => {
  const files = filesWith(logOf([record("step", 1), record("step", 2)]));
  const reader = new LogReader(files, "/run");
  files.append(LOG, logOf([{ resumedAfterStep: 0, steps: 3 }, record("step", 1)]));
  expect([...reader.entries()]).toEqual([record("step", 1), record("step", 2)]);
});

describe("a log made to do harm", () => {
  it("ends with entries that are valid, or an error, for any bytes", () => {
    const json = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom('{"step":1}', '{"kind":"step","step":2,}', "\r", ""),
    );
    const text = fc.array(json).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array()), (log) => {
        for (const { step } of entriesOf(log)) expect(Number.isSafeInteger(step) && step >= 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each(["-1", "0.5", "1e308", "1e999", '"7"', "null", "[1]", "9007199254740993"])(
    "ignores step %s",
    (step) => {
      const log = `{"kind":"step","step":1}\n{"kind":"step","step":${step}}\n{"kind":"evaluation","step":${step}}\n`;
      expect(entriesOf(log)).toEqual([record("step", 1)]);
      expect(entriesOf(`${log}{"resumedAfterStep":${step}}\n`)).toEqual([record("step", 1)]);
    },
  );

  it("ignores lines that nest deep, and lines of more than a megabyte without keeping them", () => {
    const deep = `{"step":2,"a":${"[".repeat(400_000)}${"]".repeat(400_000)}}`;
    const long = `{"step":3,"text":"${"x".repeat(9_000_000)}"}`;
    const log = `{"step":1}\n${deep}\n${long}\n{"step":4}\n`;
    expect(entriesOf(log)).toEqual([{ step: 1 }, { step: 4 }]);
    expect(entriesOf(long)).toEqual([]);
  });

  it("is refused when it goes back more often than any run", () => {
    const lines = Array.from({ length: 100_002 }, (_, i) => [i + 200_000, i]).flat();
    const log = lines.map((step) => `{"kind":"step","step":${step},"elapsedMs":1}\n`).join("");
    expect(() => readerOf(log)).toThrow(
      new CheckpointError(`${LOG}: is damaged: its steps go back more than 100000 times`),
    );
  });
});

describe("linesOf", () => {
  const linesIn = (text: string, partBytes: number, end = Buffer.byteLength(text)) => [
    ...linesOf(filesWith(text), LOG, { end, partBytes }),
  ];

  it("yields the lines of a text, whatever is read at once", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: "binary", maxLength: 9 }).filter((line) => !line.includes("\n") && line !== ""),
        ),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        (lines, partBytes, whole) => {
          const text = lines.join("\n") + (whole && lines.length > 0 ? "\n" : "");
          expect(linesIn(text, partBytes)).toEqual(lines);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("yields empty lines, ends where it should, and stops when the file is cut meanwhile", () => {
    expect(linesIn("\n\na\n", 2)).toEqual(["", "", "a"]);
    expect(linesIn("ab\ncd\n", 4, 4)).toEqual(["ab", "c"]);
    expect(linesIn("ab\n", 1, 1000)).toEqual(["ab"]);
    expect(linesIn("", 1)).toEqual([]);
  });
});

it("resumes a log of any length by reading its last byte", () => {
  const files = filesWith(logOf([record("step", 1)]).repeat(50_000));
  files.write("/run/config.json", Buffer.from('{"format":"nopeek run","version":1,"config":{}}'));
  const read: number[] = [];
  const counting = new (class extends MemoryFiles {
    override readPart(file: string, start: number, length: number): Uint8Array {
      const part = super.readPart(file, start, length);
      if (file === LOG) read.push(part.length);
      return part;
    }
  })(files);
  RunDirectory.open("/run", { files: counting }).resumeLog(1, 2);
  expect(read).toEqual([1]);
});
