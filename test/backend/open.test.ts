import { expect, it } from "vitest";
import { openBackend } from "../../src/backend/open.ts";
import { ConfigError } from "../../src/errors.ts";

it.each([0, -1, 1.5, Number.NaN, 65, 1e9, Number.POSITIVE_INFINITY])(
  "refuses %d threads",
  async (threads) => {
    const message = `\`threads\` must be a whole number in 1 … 64: got ${threads}`;
    for (const name of ["wasm", "native", "blas", "auto", "reference"] as const) {
      await expect(openBackend(name, threads)).rejects.toThrow(new ConfigError(message));
    }
  },
);

it("refuses an unknown name, and says which are known", async () => {
  const opened = Reflect.apply(openBackend, undefined, ["wsam"]);
  const message =
    '`backend` must be auto or wasm or native or blas or reference: got "wsam"; did you mean "wasm"?';
  await expect(opened).rejects.toThrow(new ConfigError(message));
});
