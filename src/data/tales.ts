/** What is known about the tales that are bundled with nopeek, wherever they are read. */
import * as z from "zod/mini";

/** Their name in config.json, because their path differs between machines. */
export const TALES_NAME = "the embedded tales";

const talesFacts = z.object({
  sha256: z.string(),
  split: z.object({ validation: z.object({ entropyNatsPerCharacter: z.number() }) }),
});

/**
 * The entropy of the validation split in nats per character, a lower bound for any model that does not peek.
 *
 * @param sha256 of a text
 * @param facts  the content of data/tales.json
 * @returns null unless the text is the one that the facts are about
 * @example const floorNats = knownFloor(sha256Hex(bytes), JSON.parse(tales))
 */
export function knownFloor(sha256: string, facts: unknown): number | null {
  const known = talesFacts.safeParse(facts);
  return known.success && known.data.sha256 === sha256
    ? known.data.split.validation.entropyNatsPerCharacter
    : null;
}
