/** Folders that cannot be imported are refused with a reason, and no damage of their files does worse. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NopeekError } from "../../../src/errors.ts";
import { importFolder, saveImported } from "../../../src/interop/import/import-folder.ts";
import type { MemoryFiles } from "../../../src/run/memory-files.ts";
import type { StoredTensor } from "../../../src/run/safetensors.ts";
import { messageOfA } from "../../support/errors.ts";
import { FOLDER } from "../../support/foreign-folder.ts";
import { gpt2, llama, sharded, tensorsOf, withTensors } from "../../support/foreign-models.ts";

const messageOf = messageOfA(NopeekError);
const refused = (files: MemoryFiles) => messageOf(() => importFolder(FOLDER, files));

describe("importFolder", () => {
  it.each([
    [{ scale_attn_by_inverse_layer_idx: true }, "`scale_attn_by_inverse_layer_idx` must be false"],
    [{ scale_attn_weights: false }, "`scale_attn_weights` must be true"],
    [{ activation_function: "relu" }, "`activation_function` must be gelu or gelu_new"],
    [{ add_cross_attention: true }, "`add_cross_attention`"],
    [{ logit_scale: 2 }, "the field `logit_scale` 2"],
    [{ quantization_config: { bits: 4 } }, "quantized"],
    [{ model_type: "bert" }, '`model_type` "bert" cannot be imported; these can: GPT-2'],
    [{ n_head: -1 }, "`n_head` must be a whole number ≥ 1"],
    [{ n_layer: 1e9 }, "layers"],
    [{ n_positions: 65_536, n_embd: 65_536, n_head: 1 }, "parameters"],
  ])("refuses GPT-2 with %o", (fields, reason) => {
    expect(refused(gpt2(fields))).toContain(reason);
  });

  it.each([
    [{ rope_scaling: { rope_type: "llama3", factor: 8 } }, "`rope_type` must be"],
    [{ rope_scaling: { type: "linear", factor: 2 } }, "`rope_type` must be"],
    [{ rope_parameters: { rope_type: "yarn" } }, "`rope_type` must be"],
    [{ partial_rotary_factor: 0.5 }, "`partial_rotary_factor` must be 1"],
    [{ rope_parameters: { rope_theta: 7 } }, "`rope_theta` must be 7"],
    [{ hidden_act: "gelu" }, '`hidden_act` must be "silu"'],
    [{ attn_logit_softcapping: 30 }, "the field `attn_logit_softcapping`"],
  ])("refuses Llama with %o", (fields, reason) => {
    expect(refused(llama(fields))).toContain(reason);
  });

  it("names a tensor that is missing, strange, of another shape, or not finite", () => {
    const change = (edit: (tensors: Map<string, StoredTensor>) => void) => {
      const tensors = tensorsOf(gpt2());
      edit(tensors);
      return refused(withTensors(gpt2(), tensors));
    };
    const name = "transformer.h.1.mlp.c_fc.weight";
    expect(change((tensors) => tensors.delete(name))).toContain(`the tensor "${name}" is missing`);
    expect(change((tensors) => tensors.delete("transformer.wpe.weight"))).toContain("is missing");
    expect(change((tensors) => tensors.set("x.y", { shape: [1], values: new Float32Array(1) }))).toContain(
      '"x.y"',
    );
    expect(change((tensors) => tensors.set(name, { shape: [8, 2], values: new Float32Array(16) }))).toContain(
      `"${name}" should be (8, 32): got (8, 2)`,
    );
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(change((tensors) => tensors.get(name)?.values.fill(value, 5, 6))).toContain(
        `"${name}" holds ${value} at position 5`,
      );
  });

  it.each([
    ["../secret.safetensors", "which is not the name of a file beside it"],
    ["/etc/passwd", "which is not the name of a file beside it"],
    ["a/b.safetensors", "which is not the name of a file beside it"],
    ["model.safetensors.index.json", "which is not the name of a file beside it"],
    ["model-9.safetensors", "places in"],
    ["model-1.safetensors", "places in"],
  ])("refuses an index that places a tensor in %s", (place, reason) => {
    expect(refused(sharded({ "transformer.wpe.weight": place }))).toContain(reason);
  });

  it("refuses pickles, runs of nopeek, and folders without a tokenizer", () => {
    const pickled = gpt2();
    pickled.rename(`${FOLDER}/model.safetensors`, `${FOLDER}/pytorch_model.bin`);
    expect(refused(pickled)).toContain("is a pickle");
    const silent = gpt2();
    silent.remove(`${FOLDER}/tokenizer.json`);
    expect(refused(silent)).toContain("has no tokenizer.json");
    const run = gpt2();
    saveImported("/run", importFolder(FOLDER, run), run);
    expect(messageOf(() => importFolder("/run", run))).toContain("is a run of nopeek already");
    const twice = gpt2();
    twice.write(`${FOLDER}/config.json`, new TextEncoder().encode('{"n_head": 1, "n_head": 2}'));
    expect(refused(twice)).toContain("twice in one object");
    const deep = gpt2();
    deep.write(
      `${FOLDER}/config.json`,
      new TextEncoder().encode(`{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`),
    );
    expect(refused(deep)).toContain("nests too deep");
    expect(messageOf(() => importFolder("/nothing", gpt2()))).toContain("no such folder");
  });

  it("throws a NopeekError, or reads finite numbers, whatever byte is changed and wherever a file ends", () => {
    const whole = gpt2();
    const names = ["model.safetensors", "config.json", "tokenizer.json"];
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.option(fc.nat(255)),
        (name, place, byte) => {
          const files = gpt2();
          const bytes = whole.read(`${FOLDER}/${name}`);
          // Half of the changes are in the header.
          const at = Math.floor(place * (name === "model.safetensors" && place < 0.5 ? 4000 : bytes.length));
          const changed = byte === null ? bytes.subarray(0, at) : bytes.slice();
          if (byte !== null) changed[at] = byte;
          files.write(`${FOLDER}/${name}`, changed);
          try {
            const { tensors } = importFolder(FOLDER, files);
            for (const { values } of tensors.values()) expect(values.every(Number.isFinite)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(NopeekError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
