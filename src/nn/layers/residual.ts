/** The residual stream: every part of a model reads it through a norm, and adds to it. */
import type { Tensor } from "../../autograd/tensor.ts";
import type { ForwardOptions } from "../inputs/forward-options.ts";
import type { Block } from "./block.ts";
import type { Norm } from "./norm.ts";

/** The stream behind a part. The sum is left to who reads it next: its norm takes it in the same pass. */
export interface Stream {
  /** What went past the part: (B, T, C). */
  readonly carried: Tensor;
  /** What the part adds, (B, T, C); null before the first part. */
  readonly added: Tensor | null;
}

/** x + part(norm(x)). */
export function residual(stream: Stream, norm: Norm, part: (normed: Tensor) => Tensor): Stream {
  const { carried, normed } = norm.read(stream);
  return { carried, added: part(normed) };
}

/** What `embedded` (B, T, C) has become behind the last of the blocks. */
export function throughBlocks(blocks: readonly Block[], embedded: Tensor, pass: ForwardOptions): Stream {
  const parts = blocks.map((block) => (stream: Stream) => block.forward(stream, pass));
  return embedded.context.handingOn({ carried: embedded, added: null }, parts, tensorsOf);
}

function tensorsOf({ carried, added }: Stream): readonly Tensor[] {
  return added === null ? [carried] : [carried, added];
}
