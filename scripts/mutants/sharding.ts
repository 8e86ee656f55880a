/** Mutants of an optimizer whose state several processes share out. */
import type { Mutant } from "./list.ts";

export const sharding: readonly Mutant[] = [
  {
    promise: "the next tensor goes to the rank with the fewest numbers",
    file: "src/distributed/owners.ts",
    line: "(load < loads[best] ? rank : best)",
    broken: "(load <= loads[best] ? rank : best)",
    tests: ["test/distributed/owners.test.ts"],
  },
  {
    promise: "large tensors are shared out before small ones",
    file: "src/distributed/owners.ts",
    line: ".sort((a, b) => sizes[b] - sizes[a])",
    broken: "",
    tests: ["test/distributed/owners.test.ts"],
  },
  {
    promise: "Muon shares out its products by itself",
    file: "src/train/ranks.ts",
    line: 'optimizer === "muon" ? "if even" : "never"',
    broken: '"never"',
    tests: ["test/distributed/shard-optimizer.test.ts"],
  },
  {
    promise: "Muon shares out nothing by itself where messages would grow",
    file: "src/distributed/shards.ts",
    line: "load * size * 3 <= total * 4",
    broken: "load >= 0",
    tests: ["test/distributed/shard-optimizer.test.ts"],
  },
  {
    promise: "the norm is that of the whole gradient where each rank has a part of it",
    file: "src/train/trainer.ts",
    line: "normOf((await this.#ranks?.gatherNumbers(squares)) ?? squares)",
    broken: "normOf(squares)",
    tests: ["test/distributed/shard-optimizer.test.ts"],
  },
  {
    promise: "squares of all ranks are added in the order of the parameters",
    file: "src/distributed/shards.ts",
    line: "return this.#owners.map((owner, i) => all[owner * count + i]);",
    broken: "return this.#owners.map((owner, i) => all[owner * count + i]).reverse();",
    tests: ["test/distributed/shard-optimizer.test.ts"],
  },
  {
    promise: "every rank gets the parameters that another has updated",
    file: "src/train/trainer.ts",
    line: "await this.#ranks?.gatherParameters();",
    broken: "",
    tests: ["test/distributed/shard-optimizer.test.ts"],
  },
  {
    promise: "a rank keeps the optimizer's state of only those parameters that it updates",
    file: "src/distributed/data-parallel.ts",
    line: "return shards.own;",
    broken: "return parameters;",
    tests: ["test/distributed/shard-optimizer.test.ts"],
  },
  {
    promise: "a checkpoint has the state that other ranks keep",
    file: "src/train/optimizer-state.ts",
    line: "if (owner > 0) await ranks.copyFrom(owner, sizeOf(shape), values);",
    broken: "",
    tests: ["test/distributed/shard-optimizer.test.ts"],
  },
  {
    promise: "a resumed run gives each rank the state that it keeps",
    file: "src/train/optimizer-state.ts",
    line: "if (values !== null && name in held) held[name]",
    broken: "if (stored !== null && values !== null && name in held) held[name]",
    tests: ["test/distributed/shard-optimizer.test.ts"],
  },
];
