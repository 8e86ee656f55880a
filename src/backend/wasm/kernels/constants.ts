/**
 * Constants that stand in memory, four times each. A vector constant in code is set up anew wherever it is used, by
 * several instructions; from memory it is one load. They are the module's only static data, at the start of
 * memory: heap.ts begins behind them.
 */

/** Where they end. */
export const constantsEnd: usize = __data_end;

/** Number `index` of a table that `memory.data<v128>` made. */
// @ts-ignore: decorator
@inline
export function constant(table: usize, index: usize = 0): v128 {
  return v128.load(table + 16 * index);
}
