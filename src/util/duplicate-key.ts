/** JSON.parse keeps the last of two equal keys and says nothing; where that would hide damage, ask here. */

/** The first key that stands twice in one object, or null. `json` must be valid JSON. */
export function findDuplicateKey(json: string): string | null {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    if (json[at] === "{") open.push(new Set());
    else if (json[at] === "}") open.pop();
    else if (json[at] === '"') {
      const end = endOfString(json, at);
      if (isKey(json, end)) {
        const key: string = JSON.parse(json.slice(at, end));
        const keys = open[open.length - 1];
        if (keys.has(key)) return key;
        keys.add(key);
      }
      at = end - 1;
    }
  }
  return null;
}

/** Where the string that opens at `at` has ended. */
function endOfString(json: string, at: number): number {
  let end = at + 1;
  while (json[end] !== '"') end += json[end] === "\\" ? 2 : 1;
  return end + 1;
}

function isKey(json: string, end: number): boolean {
  let next = end;
  while (" \t\n\r".includes(json[next])) next += 1;
  return json[next] === ":";
}
