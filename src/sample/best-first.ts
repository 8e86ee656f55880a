/**
 * Yields the indices of numbers in descending order of the numbers; equal numbers keep the order of their indices. A
 * binary heap takes n steps to build and log n steps per index, so taking the first few of many is cheap.
 */
export function* bestFirst(numbers: ArrayLike<number>): Generator<number> {
  const heap = new Int32Array(numbers.length);
  for (let place = 0; place < heap.length; place++) heap[place] = place;
  const precedes = (a: number, b: number) => numbers[a] > numbers[b] || (numbers[a] === numbers[b] && a < b);
  /** Moves the entry at `node` down, below every child that precedes it. */
  const siftDown = (node: number, size: number) => {
    const sinking = heap[node];
    for (let child = 2 * node + 1; child < size; child = 2 * node + 1) {
      if (child + 1 < size && precedes(heap[child + 1], heap[child])) child++;
      if (!precedes(heap[child], sinking)) break;
      heap[node] = heap[child];
      node = child;
    }
    heap[node] = sinking;
  };
  for (let node = (heap.length >> 1) - 1; node >= 0; node--) siftDown(node, heap.length);
  for (let size = heap.length; size > 0; size--) {
    yield heap[0];
    heap[0] = heap[size - 1];
    siftDown(0, size - 1);
  }
}
