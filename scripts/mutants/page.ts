/** Mutants of the server of `nopeek play`. */
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
];
