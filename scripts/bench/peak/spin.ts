/**
 * Multiplies and adds within registers. AssemblyScript, compiled when the benchmark runs (see sections/gemm.ts).
 * Twelve independent sums of four lanes, so that few operations wait for a previous one. With two operands they fill
 * the vector registers that V8 has.
 *
 * @returns a number that depends on every operation, so that none can be optimized away
 */
export function spin(passes: i32, factor: f32, term: f32): f32 {
  const m = f32x4.splat(factor);
  const t = f32x4.splat(term);
  let a = t;
  let b = f32x4.add(a, t);
  let c = f32x4.add(b, t);
  let d = f32x4.add(c, t);
  let e = f32x4.add(d, t);
  let f = f32x4.add(e, t);
  let g = f32x4.add(f, t);
  let h = f32x4.add(g, t);
  let i = f32x4.add(h, t);
  let j = f32x4.add(i, t);
  let k = f32x4.add(j, t);
  let l = f32x4.add(k, t);
  for (let pass = 0; pass < passes; pass++) {
    // Four times, so that loop overhead is negligible.
    a = f32x4.add(f32x4.mul(a, m), t);
    b = f32x4.add(f32x4.mul(b, m), t);
    c = f32x4.add(f32x4.mul(c, m), t);
    d = f32x4.add(f32x4.mul(d, m), t);
    e = f32x4.add(f32x4.mul(e, m), t);
    f = f32x4.add(f32x4.mul(f, m), t);
    g = f32x4.add(f32x4.mul(g, m), t);
    h = f32x4.add(f32x4.mul(h, m), t);
    i = f32x4.add(f32x4.mul(i, m), t);
    j = f32x4.add(f32x4.mul(j, m), t);
    k = f32x4.add(f32x4.mul(k, m), t);
    l = f32x4.add(f32x4.mul(l, m), t);

    a = f32x4.add(f32x4.mul(a, m), t);
    b = f32x4.add(f32x4.mul(b, m), t);
    c = f32x4.add(f32x4.mul(c, m), t);
    d = f32x4.add(f32x4.mul(d, m), t);
    e = f32x4.add(f32x4.mul(e, m), t);
    f = f32x4.add(f32x4.mul(f, m), t);
    g = f32x4.add(f32x4.mul(g, m), t);
    h = f32x4.add(f32x4.mul(h, m), t);
    i = f32x4.add(f32x4.mul(i, m), t);
    j = f32x4.add(f32x4.mul(j, m), t);
    k = f32x4.add(f32x4.mul(k, m), t);
    l = f32x4.add(f32x4.mul(l, m), t);

    a = f32x4.add(f32x4.mul(a, m), t);
    b = f32x4.add(f32x4.mul(b, m), t);
    c = f32x4.add(f32x4.mul(c, m), t);
    d = f32x4.add(f32x4.mul(d, m), t);
    e = f32x4.add(f32x4.mul(e, m), t);
    f = f32x4.add(f32x4.mul(f, m), t);
    g = f32x4.add(f32x4.mul(g, m), t);
    h = f32x4.add(f32x4.mul(h, m), t);
    i = f32x4.add(f32x4.mul(i, m), t);
    j = f32x4.add(f32x4.mul(j, m), t);
    k = f32x4.add(f32x4.mul(k, m), t);
    l = f32x4.add(f32x4.mul(l, m), t);

    a = f32x4.add(f32x4.mul(a, m), t);
    b = f32x4.add(f32x4.mul(b, m), t);
    c = f32x4.add(f32x4.mul(c, m), t);
    d = f32x4.add(f32x4.mul(d, m), t);
    e = f32x4.add(f32x4.mul(e, m), t);
    f = f32x4.add(f32x4.mul(f, m), t);
    g = f32x4.add(f32x4.mul(g, m), t);
    h = f32x4.add(f32x4.mul(h, m), t);
    i = f32x4.add(f32x4.mul(i, m), t);
    j = f32x4.add(f32x4.mul(j, m), t);
    k = f32x4.add(f32x4.mul(k, m), t);
    l = f32x4.add(f32x4.mul(l, m), t);
  }
  a = f32x4.add(a, b);
  a = f32x4.add(a, c);
  a = f32x4.add(a, d);
  a = f32x4.add(a, e);
  a = f32x4.add(a, f);
  a = f32x4.add(a, g);
  a = f32x4.add(a, h);
  a = f32x4.add(a, i);
  a = f32x4.add(a, j);
  a = f32x4.add(a, k);
  a = f32x4.add(a, l);
  return f32x4.extract_lane(a, 0);
}
