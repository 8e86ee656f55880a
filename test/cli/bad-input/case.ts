/** The parts of a case of bad input: command-line arguments and the expected message. */
import { makeText, TINY, WORDS } from "../../support/program.ts";

/** Runs in the folder that bad-input.test.ts prepares. */
export type Case = readonly [
  what: string,
  words: readonly (string | number)[],
  code: 1 | 2,
  told: readonly string[],
];

/** The training text of the run in the folder. */
export const TEXT = makeText(WORDS, 300);

const train = ["train", "--data", "text.txt", ...TINY, "--out", "new", "--steps", 3];
export const start = (...words: (string | number)[]) => [...train, ...words];
export const data = (name: string) => ["train", "--data", name, "--out", "new", ...TINY];
export const sample = (...words: (string | number)[]) => ["sample", "--model", "run", ...words];

/** Invalid settings in JSON, by file name. */
export const BAD_CONFIGS: Readonly<Record<string, string>> = {
  "list.json": "[1]",
  "null.json": "null",
  "word.json": '"layers"',
  "cut.json": '{"layers": 3',
  "deep.json": "[".repeat(100_000),
  "key.json": '{"layer": 3}',
  "case.json": '{"DModel": 8}',
  "flag.json": '{"d-model": 8}',
  "proto.json": '{"__proto__": {"layers": 3}}',
  "constructor.json": '{"constructor": 3}',
  "value.json": '{"heads": "many"}',
  "text-number.json": '{"layers": "3"}',
  "fraction.json": '{"layers": 1.5}',
  "negative.json": '{"seed": -1}',
  "infinite.json": '{"learningRate": 1e999}',
  "huge.json": '{"steps": 1e300}',
  "switch.json": '{"bias": 1}',
  "choice.json": '{"activation": "relu"}',
  "nothing.json": '{"layers": null}',
  "nested.json": '{"layers": {"count": 3}}',
  "several.json": '{"layers": 0, "heads": 0}',
  "kind.json": '{"model": "seq2seq", "contextLength": 9}',
  "version.json": '{"format": "nopeek run", "version": 1}',
  "tokenizer.json":
    '{"format": "nopeek run", "version": 1, "config": {"settings": {}, "tokenizer": {"kind": "words"}, "corpus": null}}',
};
