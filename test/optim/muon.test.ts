import { describe, expect, it } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { multiply } from "../../src/ops/multiply.ts";
import { sum } from "../../src/ops/sum.ts";
import { Muon, orthogonalize } from "../../src/optim/muon.ts";
import { Random } from "../../src/random.ts";

/** U·diag(σ)·Vᵀ for random U and V with orthonormal columns: a matrix with known singular values. */
function withSingularValues(
  rows: number,
  columns: number,
  sigmas: readonly number[],
  seed: number,
): Float64Array {
  const random = Random.of(seed, "muon");
  const orthogonal = (n: number) => {
    // Gram–Schmidt on a random matrix
    const basis: number[][] = [];
    while (basis.length < n) {
      let v = Array.from({ length: n }, () => random.normal());
      for (const u of basis) {
        const dot = u.reduce((total, x, i) => total + x * v[i], 0);
        v = v.map((x, i) => x - dot * u[i]);
      }
      const norm = Math.sqrt(v.reduce((total, x) => total + x * x, 0));
      basis.push(v.map((x) => x / norm));
    }
    return basis;
  };
  const [u, v] = [orthogonal(rows), orthogonal(columns)];
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    return sigmas.reduce((total, sigma, k) => total + sigma * u[k][i] * v[k][j], 0);
  });
}

/** Five steps of the quintic on one singular value: the effect of the iteration. */
const pressed = (sigma: number) =>
  Array.from({ length: 5 }).reduce<number>((s) => 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5, sigma);

describe("orthogonalize", () => {
  it.each([
    [3, 7],
    [7, 3],
    [5, 5],
  ])("moves the singular values of (%i, %i) toward 1 and keeps the directions", async (rows, columns) => {
    const backend = new ReferenceBackend("double");
    const sigmas = [0.9, 0.4, 0.05];
    const buffer = backend.alloc(2 * rows * columns);
    const matrices = [1, 2].map((seed) => withSingularValues(rows, columns, sigmas, seed));
    backend.write(buffer, matrices[0]);
    backend.write(buffer, matrices[1], rows * columns);
    orthogonalize(backend, buffer, 2, rows, columns);
    const found = await backend.read(buffer);
    [1, 2].forEach((seed, matrix) => {
      const expected = withSingularValues(rows, columns, sigmas.map(pressed), seed);
      expected.forEach((value, i) => {
        expect(found[matrix * rows * columns + i]).toBeCloseTo(value, 9);
      });
    });
    for (const sigma of sigmas) expect(Math.abs(pressed(sigma) - 1)).toBeLessThan(0.35);
  });
});

describe("Muon", () => {
  it("moves along the orthogonalized Nesterov momentum, with decoupled decay", async () => {
    const context = new Context(new ReferenceBackend("double"));
    const start = [0.5, -1, 2, 0.25, 3, -0.5];
    const weight = context.parameter([2, 3], start);
    const muon = new Muon({ weight }, { momentum: 0.9, weightDecay: 0.5 });
    let expected = Float64Array.from(start);
    let momentum = new Float64Array(6);
    for (const seed of [1, 2, 3]) {
      const gradient = withSingularValues(2, 3, [2, 0.7], seed);
      await context.scope("grad", () => {
        context.backward(sum(multiply(weight, context.constant([2, 3], gradient))));
      });
      await muon.step(0.1, 0.5);

      momentum = momentum.map((m, i) => 0.9 * m + 0.1 * 0.5 * gradient[i]);
      const direction = momentum.map((m, i) => 0.1 * 0.5 * gradient[i] + 0.9 * m);
      const norm = Math.sqrt(direction.reduce((total, x) => total + x * x, 0)) + 1e-7;
      const backend = new ReferenceBackend("double");
      const buffer = backend.alloc(6);
      backend.write(
        buffer,
        direction.map((x) => x / norm),
      );
      orthogonalize(backend, buffer, 1, 2, 3);
      const update = await backend.read(buffer);
      expected = expected.map((w, i) => w * (1 - 0.1 * 0.5) - 0.1 * Math.sqrt(3 / 2) * update[i]);
    }
    const found = await weight.read();
    expected.forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 12);
    });
    expect(weight.gradient).toBeNull();
  });

  it("does not change parameters without a gradient", async () => {
    const context = new Context(new ReferenceBackend("double"));
    const weight = context.parameter([2, 2], [1, 2, 3, 4]);
    await new Muon({ weight }, { momentum: 0.9, weightDecay: 0.5 }).step(0.1, 1);
    expect(Array.from(await weight.read())).toEqual([1, 2, 3, 4]);
  });
});
