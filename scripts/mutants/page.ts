/** Mutants of `nopeek play`: its server, and what its engine computes for the sections. */
import type { Mutant } from "./list.ts";

export const page: readonly Mutant[] = [
  {
    promise: "the page is not served under a foreign host name",
    file: "src/cli/commands/play/server.ts",
    line: "if (headers.host === undefined || !OWN_NAME.test(headers.host)) {",
    broken: "if (headers.host === undefined) {",
    tests: ["test/cli/commands/play/server.test.ts"],
  },
  {
    promise: "only this machine can open the page",
    file: "src/cli/commands/play/listen.ts",
    line: "server.listen({ port, host: HOST, exclusive: true });",
    broken: "server.listen({ port, exclusive: true });",
    tests: ["test/cli/commands/play/listen.test.ts"],
  },
  {
    promise: "every answer isolates the page and limits what it may do",
    file: "src/cli/commands/play/server.ts",
    line: "{ ...HEADERS, ...headers, ...length }",
    broken: "{ ...headers, ...length }",
    tests: ["test/cli/commands/play/server.test.ts"],
  },
  {
    promise: "the page draws tokens with the random numbers of the command line",
    file: "src/play/engine/one-token.ts",
    line: 'Random.of(seed, "sample")',
    broken: 'Random.of(seed, "token")',
    tests: ["test/play/engine/one-token.test.ts"],
  },
  {
    promise: "the drawn token is where its random number lies",
    file: "src/play/engine/one-token.ts",
    line: "const left = stages.at(-1)?.left ?? offered;",
    broken: "const left = offered;",
    tests: ["test/play/engine/one-token.test.ts"],
  },
  {
    promise: "without the mask, a parallel pass and single steps are shown to differ",
    file: "src/play/engine/both-ways.ts",
    line: "if (Object.is(logit, stepwise[i])) continue;",
    broken: "if (Object.is(logit, parallel[i])) continue;",
    tests: ["test/play/engine/one-token.test.ts"],
  },
  {
    promise: "the cache shows each head's own channels",
    file: "src/play/engine/cache-view.ts",
    line: "const start = position * dModel + head * size;",
    broken: "const start = position * dModel;",
    tests: ["test/play/engine/one-token.test.ts"],
  },
  {
    promise: "a section leaves the model's mask as it was",
    file: "src/play/engine/with-mask.ts",
    line: "    model.maskMatrix = before;",
    broken: "    model.maskMatrix = null;",
    tests: ["test/play/engine/one-token.test.ts"],
  },
  {
    promise: "the tree marks the paths that lead to a result",
    file: "src/play/engine/beams.ts",
    line: "path.tokens.every((token, i) => token === tokens[i])",
    broken: "path.tokens.some((token, i) => token === tokens[i])",
    tests: ["test/play/engine/beams.test.ts"],
  },
  {
    promise: "the greedy continuation beside the tree ends where a beam would",
    file: "src/play/engine/beams.ts",
    line: "if (ends(written)) break;",
    broken: "",
    tests: ["test/play/engine/beams.test.ts"],
  },
];
