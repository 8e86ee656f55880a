/** Checkpoints of earlier versions load under today's names: weights and optimizer moments. */
import { describe, expect, it } from "vitest";
import { readCheckpoint, readCheckpointModel, writeCheckpoint } from "../../src/run/checkpoint.ts";
import { MemoryFiles } from "../../src/run/memory-files.ts";
import { currentName } from "../../src/run/tensor-names.ts";
import { someStep } from "./saved-steps.ts";

describe("currentName", () => {
  it.each([
    ["blocks.0.mlp.expand.weight", "blocks.0.mlp.up.weight"],
    ["decoder.blocks.11.mlp.contract.bias", "decoder.blocks.11.mlp.down.bias"],
    ["blocks.1.mlp.expand.bias.firstMoment", "blocks.1.mlp.up.bias.firstMoment"],
    ["pairEmbedding", "bigramEmbedding"],
    ["pairEmbedding.secondMoment", "bigramEmbedding.secondMoment"],
  ])("%s is %s today", (old, today) => {
    expect(currentName(old)).toBe(today);
    expect(currentName(today)).toBe(today);
  });

  it.each([
    "tokenEmbedding",
    "blocks.0.attention.query.weight",
    "head.weight",
    "expand",
    "blocks.0.mlp.gate.weight",
  ])("%s stays", (name) => {
    expect(currentName(name)).toBe(name);
  });
});

it("a checkpoint with old names is read under today's, values and order unchanged", () => {
  const { best: _, ...contents } = someStep(7);
  const [first, second] = [...contents.model.values()];
  const old = {
    ...contents,
    model: new Map([
      ["pairEmbedding", first],
      ["blocks.0.mlp.expand.weight", second],
    ]),
    optimizer: new Map([["blocks.0.mlp.contract.weight.firstMoment", first]]),
  };
  const files = new MemoryFiles();
  files.createFolder("/step");
  writeCheckpoint(files, "/step", old);
  const { model, optimizer } = readCheckpoint(files, "/step");
  expect([...model]).toEqual([
    ["bigramEmbedding", first],
    ["blocks.0.mlp.up.weight", second],
  ]);
  expect([...optimizer]).toEqual([["blocks.0.mlp.down.weight.firstMoment", first]]);
  expect(readCheckpointModel(files, "/step").model).toEqual(model);
});
