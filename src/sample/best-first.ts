/**
 * Places in descending order of their numbers, equal ones in ascending order. A binary heap: n steps to begin with
 * and log n for each place taken, so taking few of many is cheap.
 */
export function* bestFirst(numbers: ArrayLike<number>): Generator<number> {
  const heap = new Int32Array(numbers.length);
  for (let place = 0; place < heap.length; place++) heap[place] = place;
  const precedes = (a: number, b: number) => numbers[a] > numbers[b] || (numbers[a] === numbers[b] && a < b);
  /** Lets the entry at `node` target below every child that precedes it. */
  const target = (node: number, size: number) => {
    const sinking = heap[node];
    for (let child = 2 * node + 1; child < size; child = 2 * node + 1) {
      if (child + 1 < size && precedes(heap[child + 1], heap[child])) child++;
      if (!precedes(heap[child], sinking)) break;
      heap[node] = heap[child];
      node = child;
    }
    heap[node] = sinking;
  };
  for (let node = (heap.length >> 1) - 1; node >= 0; node--) target(node, heap.length);
  for (let size = heap.length; size > 0; size--) {
    yield heap[0];
    heap[0] = heap[size - 1];
    target(0, size - 1);
  }
}
