/** Matrix products. */
import { layOut, layRuns } from "./layout.ts";
import { operand, over, places } from "./operand.ts";
import { type Case, sameBits } from "./trial.ts";

const product = (name: string, lay: typeof layOut): Case => ({
  name,
  async check(trial) {
    const batch = Array.from({ length: trial.random.below(3) }, () => trial.pick([0, 1, 2, 3, 5]));
    const [rows, columns, inner] = [trial.length(), trial.length(), trial.length()];
    const specials = trial.random.below(6) === 0;
    const a = operand(trial, batch, rows, inner, { specials, lay });
    const b = operand(trial, batch, inner, columns, { specials, lay });
    const c = operand(trial, batch, rows, columns, { output: true, lay });
    const accumulate = trial.flip();
    const bias = accumulate || trial.flip() ? null : trial.noise(columns);
    const size = { batch, rows, columns, inner, accumulate };
    trial.run((backend, of) => {
      const [cs, as, bs] = [over(c, of(c.twin)), over(a, of(a.twin)), over(b, of(b.twin))];
      backend.gemm(cs, as, bs, { ...size, bias: bias && of(bias) });
    });
    const absolute = [c, a, b].map(({ twin }) => trial.absolute(twin));
    const absoluteBias = bias && trial.absolute(bias);
    trial.runTruth((backend, of) => {
      const [cs, as, bs] = [c, a, b].map((matrices, i) => over(matrices, of(absolute[i])));
      backend.gemm(cs, as, bs, { ...size, bias: absoluteBias && of(absoluteBias) });
    });
    const scale = await trial.truth(absolute[0]);
    await trial.near("c", c.twin, { roundings: (inner + 1) * trial.tolerance.sums, scale });
    if (!trial.tolerance.ordered) return;
    // ((start + a₀b₀) + a₁b₁) + …, rounded after each operation.
    const expected = c.twin.numbers.slice();
    const [placeA, placeB] = [places(a, batch), places(b, batch)];
    for (const [matrix, placeC] of places(c, batch).entries()) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          let sum = accumulate ? expected[placeC(i, j)] : (bias?.numbers[j] ?? 0);
          for (let p = 0; p < inner; p++) {
            const product = a.twin.numbers[placeA[matrix](i, p)] * b.twin.numbers[placeB[matrix](p, j)];
            sum = Math.fround(sum + Math.fround(product));
          }
          expected[placeC(i, j)] = sum;
        }
      }
    }
    sameBits("c in the order of the contract", await trial.tested(c.twin), expected);
  },
});

export const productCases: readonly Case[] = [product("gemm", layOut), product("gemm over runs", layRuns)];
