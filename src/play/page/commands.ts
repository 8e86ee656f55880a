/** Commands of nopeek that the page shows. */
import { shellWord } from "../../util/format.ts";
import type { SavedRun } from "../engine/saved-run.ts";

/** What continues a saved run, where its zip file was unpacked. */
export function resumeCommand({ folder, textFile }: Pick<SavedRun, "folder" | "textFile">): string {
  const data = textFile === null ? "" : ` --data ${shellWord(textFile)}`;
  return `npx nopeek train --resume --out ${shellWord(folder)}${data}`;
}
