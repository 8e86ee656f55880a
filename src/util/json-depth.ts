/** JSON.parse takes any depth; whoever then prints or checks such a value runs out of stack. So ask here first. */

/** Deeper than anything that nopeek writes or reads. */
const MOST = 100;

/** Whether lists and objects stand in each other so deep that no honest file is like it. */
export function nestsTooDeep(json: string): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') at = closingQuote(json, at);
    else if (character === "{" || character === "[") {
      depth += 1;
      if (depth > MOST) return true;
    } else if (character === "}" || character === "]") depth -= 1;
  }
  return false;
}

/** Where the string that opens at `at` closes; the end of the text where it does not. */
function closingQuote(json: string, at: number): number {
  let end = at + 1;
  while (end < json.length && json[end] !== '"') end += json[end] === "\\" ? 2 : 1;
  return end;
}
