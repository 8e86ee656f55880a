/** Mutants of the export of encoder–decoders. */
import type { Mutant } from "./list.ts";

const map = { file: "src/interop/maps/blenderbot.ts", tests: ["test/interop/maps/blenderbot.test.ts"] };
const folder = {
  file: "src/interop/hugging-face/encoder-decoder.ts",
  tests: ["test/interop/hugging-face/encoder-decoder.test.ts"],
};

export const seq2seq: readonly Mutant[] = [
  {
    promise: "Blenderbot: an answer never contains [start]",
    ...map,
    line: "values[tokens - 1] = NEVER;",
    broken: "values[tokens - 2] = NEVER;",
  },
  {
    promise: "Blenderbot: cross-attention has its own weights",
    ...map,
    line: '[["encoder_attn", "cross"]]',
    broken: '[["encoder_attn", "attention"]]',
  },
  {
    promise: "Blenderbot: answers may repeat parts of the source",
    ...folder,
    line: "    encoder_no_repeat_ngram_size: 0,\n",
    broken: "",
  },
  {
    promise: "Blenderbot: a model with a separate head is refused",
    file: "src/interop/architecture.ts",
    line: "  tieHead: [true],\n",
    broken: "",
    tests: ["test/interop/architecture.test.ts"],
  },
];
