/** Damaged runs, and runs made to do harm. All input is checked, and nothing is lost. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeSafetensors } from "../../src/run/safetensors.ts";
import { nopeekHere } from "../support/in-process.ts";
import { expectComplaint, makeFolderWithText, START_MS, succeed, TRAIN } from "../support/program.ts";
import { fingerprint, reseal, resealState } from "../support/run-files.ts";

const { folder, at } = makeFolderWithText(300);
const model = "step-000004/model.safetensors";

beforeAll(async () => {
  const flags = ["--steps", 4, "--checkpoint-interval", 2, "--eval-batches", 1];
  await succeed(folder, ...TRAIN, "--out", "run", ...flags);
  mkdirSync(at("precious"));
  writeFileSync(at("precious", "thesis.tex"), "years of work");
}, START_MS);

/** A safetensors file with this header and number of data bytes. */
function fileOf(header: string, dataBytes = 8, claimed = BigInt(Buffer.byteLength(header))): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(claimed);
  return Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(dataBytes)]);
}

const replace = (file: string, from: string | RegExp, to: string) => (copy: string) => {
  const text = readFileSync(join(copy, file), "utf8");
  expect(text).toMatch(from);
  writeFileSync(join(copy, file), text.replace(from, to));
};

type Spoilt = readonly (readonly [what: string, spoil: (copy: string) => void, told: readonly string[]])[];

/** A damaged copy of the run. */
function spoilt(spoil: (copy: string) => void): string {
  cpSync(at("run"), at("copy"), { recursive: true });
  spoil(at("copy"));
  return at("copy");
}

describe("a model that was changed after saving is rejected, and stays as it is", () => {
  const DAMAGES: Spoilt = [
    [
      "weights cut short",
      (copy) => truncateSync(join(copy, model), 500),
      [model, "is cut short", "step-000002"],
    ],
    [
      "a flipped bit",
      (copy) => {
        const bytes = readFileSync(join(copy, model));
        bytes[bytes.length - 9] ^= 4;
        writeFileSync(join(copy, model), bytes);
      },
      [model, "is damaged", "step-000002"],
    ],
    ["weights gone", (copy) => rmSync(join(copy, model)), [model, "it is not there", "step-000002"]],
    [
      "another version",
      replace("config.json", '"version": 1', '"version": 8'),
      ["version 8", "reads version 1"],
    ],
    [
      "another version of a step",
      replace("step-000004/state.json", '"version": 1', '"version": 8'),
      ["version 8", "reads version 1"],
    ],
    ["another width", replace("config.json", '"dModel": 6', '"dModel": 8'), ["config.json", "parameters"]],
    [
      "an absurd width",
      replace("config.json", '"dModel": 6', '"dModel": 65536'),
      ["config.json", "parameters"],
    ],
    [
      "the same count in another shape",
      replace("config.json", /"contextLength": 13/, '"contextLength": 12'),
      ["config.json", "parameters"],
    ],
    ["an unknown setting", replace("config.json", "dModel", "dModle"), ['did you mean "dModel"?']],
    [
      "a config that is not JSON",
      (copy) => writeFileSync(join(copy, "config.json"), "{"),
      ["it is not JSON"],
    ],
    [
      "weights of another model",
      (copy) =>
        reseal(copy, encodeSafetensors(new Map([["other", { shape: [2, 3], values: new Float32Array(6) }]]))),
      ["holds 6"],
    ],
  ];

  const header = (fields: string) => (copy: string) => reseal(copy, fileOf(fields));
  const tensor = (fields: string) => header(`{"w":{"dtype":"F32",${fields}}}`);
  const HOSTILE: Spoilt = [
    ["a header without end", (copy) => reseal(copy, fileOf("{}", 8, 2n ** 63n)), ["should have at most"]],
    ["a header of spaces", (copy) => reseal(copy, fileOf(`{}${" ".repeat(9e6)}`)), ["should have at most"]],
    [
      "a tensor as large as a disk",
      tensor(`"shape":[${2 ** 40}],"data_offsets":[0,${2 ** 42}]`),
      ["is cut short"],
    ],
    ["a tensor beyond the data", tensor('"shape":[4],"data_offsets":[0,16]'), ["is cut short", "has 8"]],
    ["a tensor below 0", tensor('"shape":[2],"data_offsets":[-8,0]'), ["whole numbers ≥ 0"]],
    ["half a length", tensor('"shape":[0.5,4],"data_offsets":[0,8]'), ["whole numbers ≥ 0"]],
    ["a length beyond all numbers", tensor('"shape":[1e999],"data_offsets":[0,8]'), ["whole numbers ≥ 0"]],
    [
      "tensors that overlap",
      header(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      ),
      ["should start at byte 8"],
    ],
    ["a name that appears twice", header('{"w":1,"w":2}'), ['"w" appears twice']],
    [
      "another type of number",
      header('{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}'),
      ['"dtype": "F32"'],
    ],
    [
      "a header that is too deep",
      header(`{"w":${"[".repeat(90_000)}${"]".repeat(90_000)}}`),
      ["nests too deep"],
    ],
    ["a header that is a list", header("[]"), ["expected a header {…}"]],
    [
      "a tensor that is a path",
      header('{"../../precious":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
      ["holds 2"],
    ],
    [
      "a tensor named __proto__",
      header('{"__proto__":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
      ["holds 2"],
    ],
    [
      "a state of another file",
      (copy) =>
        resealState(copy, (body) => {
          body.files["../../precious/thesis.tex"] = "0".repeat(64);
        }),
      ["is damaged"],
    ],
    [
      "a state of another step",
      (copy) =>
        resealState(copy, (body) => {
          body.step = 5;
        }),
      ["holds step 5"],
    ],
    [
      "a state below 0",
      (copy) =>
        resealState(copy, (body) => {
          body.step = -1;
        }),
      ["is damaged"],
    ],
    [
      "a state that is too deep",
      (copy) => writeFileSync(join(copy, "step-000004/state.json"), "[".repeat(1e6)),
      ["nests too deep"],
    ],
    [
      "a config that is too deep",
      (copy) => writeFileSync(join(copy, "config.json"), '{"a":'.repeat(1e5)),
      ["nests too deep"],
    ],
    [
      "a config of __proto__",
      replace("config.json", '"layers": 1', '"__proto__": {"layers": 1}'),
      ["config.json", "parameters"],
    ],
    [
      "a config of a million layers",
      replace("config.json", '"layers": 1', '"layers": 1000000'),
      ["--layers must be at most 1000"],
    ],
    [
      "a config of half a head",
      replace("config.json", '"heads": 2', '"heads": 0.5'),
      ["--heads must be a whole number"],
    ],
    ["a config of no tokenizer", replace("config.json", '"kind": "char"', '"kind": "eval"'), ["config.json"]],
    [
      "a config of letters that are none",
      replace("config.json", /"characters": "[^"]*"/, '"characters": ""'),
      ["config.json"],
    ],
  ];

  it.each([...DAMAGES, ...HOSTILE])("%s", async (_what, spoil, told) => {
    const copy = spoilt(spoil);
    try {
      const damaged = fingerprint(folder);
      expectComplaint(await nopeekHere(folder, "sample", "--model", "copy/step-000004"), 1, ...told);
      expect(fingerprint(folder)).toBe(damaged);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});

describe("a run with links that lead out of its directory", () => {
  const LEADING: Spoilt = [
    [
      "a pointer up",
      (copy) => writeFileSync(join(copy, "latest"), "../precious"),
      ["should hold the name of a step directory"],
    ],
    [
      "a pointer anywhere",
      (copy) => writeFileSync(join(copy, "latest"), at("precious")),
      ["should hold the name"],
    ],
    [
      "a pointer that is a link",
      (copy) => {
        rmSync(join(copy, "latest"));
        symlinkSync("../precious/thesis.tex", join(copy, "latest"));
      },
      ["latest: it is a link"],
    ],
    [
      "a log that is a link",
      (copy) => {
        rmSync(join(copy, "log.jsonl"));
        symlinkSync("../precious/thesis.tex", join(copy, "log.jsonl"));
      },
      ["log.jsonl: it is a link"],
    ],
    [
      "a step that is a link",
      (copy) => {
        rmSync(join(copy, "step-000004"), { recursive: true });
        symlinkSync("../precious", join(copy, "step-000004"));
      },
      ["step-000004"],
    ],
  ];

  it.each(LEADING)("%s: nothing there is touched", async (_what, spoil, told) => {
    const copy = spoilt(spoil);
    try {
      const words = ["train", "--resume", "--out", "copy", "--steps", 6, "--threads", 1];
      expectComplaint(await nopeekHere(folder, ...words), 1, ...told);
      expect(readdirSync(at("precious"))).toEqual(["thesis.tex"]);
      expect(readFileSync(at("precious", "thesis.tex"), "utf8")).toBe("years of work");
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it("as if left by a killed program: resuming removes the links alone", async () => {
    const copy = spoilt((copy) => {
      for (const name of [".step-000006.partial", ".step-000001.removed", ".latest.partial", ".lock-7"])
        symlinkSync("../precious", join(copy, name));
    });
    await succeed(folder, "train", "--resume", "--out", "copy", "--steps", 6);
    expect(readdirSync(copy).filter((name) => name.startsWith("."))).toEqual([]);
    expect(readFileSync(at("precious", "thesis.tex"), "utf8")).toBe("years of work");
    expect(readFileSync(join(copy, "latest"), "utf8")).toBe("step-000006\n");
    rmSync(copy, { recursive: true });
  });
});

describe("a run that is damaged", () => {
  it("is not resumed", async () => {
    cpSync(at("run"), at("cut"), { recursive: true });
    truncateSync(at("cut", "step-000004/optimizer.safetensors"), 500);
    const damaged = fingerprint(at("cut"));
    const outcome = await nopeekHere(folder, "train", "--resume", "--out", "cut", "--steps", 6);
    expectComplaint(outcome, 1, "optimizer.safetensors", "is cut short", "step-000002", "cut/latest");
    expect(fingerprint(at("cut"))).toBe(damaged);

    // The remedy in the message works, and sampling does not need the optimizer.
    await succeed(folder, "sample", "--model", "cut", "--tokens", 3);
    writeFileSync(at("cut", "latest"), "step-000002\n");
    const { stderr } = await succeed(folder, "train", "--resume", "--out", "cut");
    expect(stderr).toContain("resumed     after step 2");
    const [mended, whole] = ["cut", "run"].map((run) =>
      readFileSync(at(run, "step-000004/optimizer.safetensors")),
    );
    expect(mended.equals(whole)).toBe(true);
  });
});
