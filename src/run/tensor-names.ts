/** Names that tensors had in checkpoints of earlier versions. Such checkpoints load as if they had today's names. */

const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/\bmlp\.expand\./, "mlp.up."],
  [/\bmlp\.contract\./, "mlp.down."],
  [/^pairEmbedding\b/, "bigramEmbedding"],
];

/** Today's name of a tensor: of a weight, or of an optimizer's moment, whose name starts with the weight's. */
export function currentName(name: string): string {
  return RENAMED.reduce((current, [old, today]) => current.replace(old, today), name);
}

/** The same tensors under today's names, in the same order. */
export function withCurrentNames<T>(tensors: ReadonlyMap<string, T>): Map<string, T> {
  return new Map(Array.from(tensors, ([name, tensor]) => [currentName(name), tensor]));
}
