/**
 * Runs of f32 whose length is not a multiple of four. The last one to three numbers are processed in a vector like
 * all others, so they go through the same instructions and get the same bits. Nothing outside the run is read or
 * written.
 */

/** Loads the 1 … 3 numbers at `at`; the remaining lanes are set to `fill`. */
@inline
export function loadPart(at: usize, count: i32, fill: f32): v128 {
  let part = f32x4.replace_lane(f32x4.splat(fill), 0, f32.load(at));
  if (count > 1) part = f32x4.replace_lane(part, 1, f32.load(at, 4));
  if (count > 2) part = f32x4.replace_lane(part, 2, f32.load(at, 8));
  return part;
}

/** Stores the first 1 … 3 lanes at `at`. */
@inline
export function storePart(at: usize, part: v128, count: i32): void {
  f32.store(at, f32x4.extract_lane(part, 0));
  if (count > 1) f32.store(at, f32x4.extract_lane(part, 1), 4);
  if (count > 2) f32.store(at, f32x4.extract_lane(part, 2), 8);
}

/** Stores four numbers, or adds them to the numbers already there. */
@inline
export function put(at: usize, value: v128, accumulate: bool): void {
  v128.store(at, accumulate ? f32x4.add(v128.load(at), value) : value);
}

/** `put` for the first 1 … 3 lanes. */
@inline
export function putPart(at: usize, value: v128, count: i32, accumulate: bool): void {
  storePart(at, accumulate ? f32x4.add(loadPart(at, count, 0), value) : value, count);
}

/** `put` for one number. */
@inline
export function putOne(at: usize, value: f32, accumulate: bool): void {
  f32.store(at, accumulate ? f32.load(at) + value : value);
}

/** The address of number `index` of a run. */
@inline
export function at(run: usize, index: i32): usize {
  return run + (<usize>index << 2);
}

/** The sum of the four lanes. */
@inline
export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** The largest of the four lanes. May ignore NaN. */
@inline
export function maxLanes(v: v128): f32 {
  const pairs = f32x4.pmax(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  const all = f32x4.pmax(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2));
  return f32x4.extract_lane(all, 0);
}

/** Loads the 1 … 4 numbers at `at`; the remaining lanes are 0. */
@inline
export function loadSome(at: usize, count: i32): v128 {
  return count == 4 ? v128.load(at) : loadPart(at, count, 0);
}

/** `put` for the first 1 … 4 lanes. */
@inline
export function putSome(at: usize, value: v128, count: i32, accumulate: bool): void {
  if (count == 4) put(at, value, accumulate);
  else putPart(at, value, count, accumulate);
}

/** `put` for sixteen numbers. One branch serves all four vectors, so engines can compute them in parallel before it. */
@inline
export function putSixteen(at: usize, a: v128, b: v128, c: v128, d: v128, accumulate: bool): void {
  if (accumulate) {
    a = f32x4.add(v128.load(at), a);
    b = f32x4.add(v128.load(at, 16), b);
    c = f32x4.add(v128.load(at, 32), c);
    d = f32x4.add(v128.load(at, 48), d);
  }
  v128.store(at, a);
  v128.store(at, b, 16);
  v128.store(at, c, 32);
  v128.store(at, d, 48);
}

/** `put` for a run of numbers. */
@inline
export function putRun(to: usize, from: usize, length: i32, accumulate: bool): void {
  let i = 0;
  for (; i <= length - 16; i += 16) {
    const next = at(from, i);
    const a = v128.load(next);
    const b = v128.load(next, 16);
    const c = v128.load(next, 32);
    const d = v128.load(next, 48);
    putSixteen(at(to, i), a, b, c, d, accumulate);
  }
  for (; i <= length - 4; i += 4) put(at(to, i), v128.load(at(from, i)), accumulate);
  if (i < length) putPart(at(to, i), loadPart(at(from, i), length - i, 0), length - i, accumulate);
}
