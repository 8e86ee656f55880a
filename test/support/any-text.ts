/** Arbitrary texts for property tests. */
import fc from "fast-check";

/** ASCII, the rest of the first 65,536 code points, and beyond; no surrogates, which are not characters. */
export const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x7f }),
      fc.integer({ min: 0x80, max: 0xd7ff }),
      fc.integer({ min: 0xe000, max: 0x10ffff }),
    ),
    { minLength: 1, maxLength: 50 },
  )
  .map((codePoints) => String.fromCodePoint(...codePoints));
