/**
 * A tree of counts for n-grams: a node is a sequence of tokens, its children are that sequence with one more token. A
 * hash table of typed arrays finds children, because objects and maps would take ten times the memory.
 */

const FIRST_NODES = 1024;
/** The hash table has this many slots per node. */
const SLOTS_PER_NODE = 2;
const FIELDS = 5;
const [PARENT, TOKEN, COUNT, TOTAL, FOLLOWERS] = [0, 1, 2, 3, 4];

export class CountTree {
  /** The empty sequence. */
  static readonly root = 0;
  /** A sequence that was never counted. */
  static readonly unknown = -1;
  /** FIELDS numbers per node. */
  #nodes = new Int32Array(FIELDS * FIRST_NODES);
  /** Node numbers; 0 is a free slot, because the root is no child. */
  #slots = new Int32Array(SLOTS_PER_NODE * FIRST_NODES);
  #size = 1;

  /** The number of sequences, the empty one included. */
  get size(): number {
    return this.#size;
  }

  /** Counts `token` after the sequence `node`. Returns the longer sequence. */
  add(node: number, token: number): number {
    const found = this.find(node, token);
    const isNew = found === CountTree.unknown;
    const child = isNew ? this.#insert(node, token) : found;
    if (isNew) this.#nodes[FIELDS * node + FOLLOWERS] += 1;
    this.#nodes[FIELDS * node + TOTAL] += 1;
    this.#nodes[FIELDS * child + COUNT] += 1;
    return child;
  }

  /** The sequence `node` and one more token; `unknown` if it was never counted. */
  find(node: number, token: number): number {
    return this.#slots[this.#slotOf(node, token)] || CountTree.unknown;
  }

  /** How often the sequence occurred. */
  count(node: number): number {
    return this.#nodes[FIELDS * node + COUNT];
  }

  /** How often it occurred with a token after it. */
  total(node: number): number {
    return this.#nodes[FIELDS * node + TOTAL];
  }

  /** The number of different tokens seen after it. */
  followers(node: number): number {
    return this.#nodes[FIELDS * node + FOLLOWERS];
  }

  #insert(parent: number, token: number): number {
    if (FIELDS * (this.#size + 1) > this.#nodes.length) this.#grow();
    const child = this.#size++;
    this.#nodes.set([parent, token], FIELDS * child);
    this.#slots[this.#slotOf(parent, token)] = child;
    return child;
  }

  /** The slot that holds the child, or the free slot where it belongs. */
  #slotOf(parent: number, token: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(parent, token) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const node = this.#slots[slot];
      if (node === 0) return slot;
      if (this.#nodes[FIELDS * node + PARENT] === parent && this.#nodes[FIELDS * node + TOKEN] === token)
        return slot;
    }
  }

  #grow(): void {
    const nodes = new Int32Array(2 * this.#nodes.length);
    nodes.set(this.#nodes);
    this.#nodes = nodes;
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let node = 1; node < this.#size; node++) {
      const at = FIELDS * node;
      this.#slots[this.#slotOf(nodes[at + PARENT], nodes[at + TOKEN])] = node;
    }
  }
}

/** Mixes two numbers so that near ones fall far apart (multipliers of MurmurHash3). */
function hash(a: number, b: number): number {
  let h = Math.imul(a, 0x85ebca6b) ^ Math.imul(b + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return h ^ (h >>> 13);
}
