/**
 * Vector constants stored in memory, each repeated four times. A vector constant in code takes several instructions
 * at every use; from memory it is a single load. These constants are the module's only static data. They start at the
 * bottom of memory, and the heap (../host/heap.ts) begins after them.
 */

/** The address just past the constants. */
export const constantsEnd: usize = __data_end;

/** Entry `index` of a table created by `memory.data<v128>`. */
// @ts-ignore: decorator
@inline
export function constant(table: usize, index: usize = 0): v128 {
  return v128.load(table + 16 * index);
}
