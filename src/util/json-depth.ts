/** Deeper than any file that nopeek writes or reads. */
const MAX_DEPTH = 100;

/**
 * Whether lists and objects are nested too deep for a legitimate file. JSON.parse handles any depth, but printing or
 * validating such a value overflows the stack, so check untrusted JSON first.
 */
export function nestsTooDeep(json: string): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') at = closingQuote(json, at);
    else if (character === "{" || character === "[") {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (character === "}" || character === "]") depth -= 1;
  }
  return false;
}

/** The index of the quote that closes the string opened at `at`, or the end of the text if none does. */
function closingQuote(json: string, at: number): number {
  let end = at + 1;
  while (end < json.length && json[end] !== '"') end += json[end] === "\\" ? 2 : 1;
  return end;
}
