/** Finds the files that a person drops or chooses, folders included. */

/** A file, and its path from the dropped folder on: "run/step-000500/state.json". */
export interface GivenFile {
  readonly path: string;
  readonly file: File;
}

/** More files than any run has. A folder of more is not searched to its end. */
const MOST_FILES = 2000;

/** The files of a file input. */
export function filesOf(input: HTMLInputElement): GivenFile[] {
  return Array.from(input.files ?? [], (file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** The files that were dropped, including those in folders. */
export async function droppedFiles({ items, files }: DataTransfer): Promise<GivenFile[]> {
  // The list of items is empty after the first pause.
  const entries = Array.from(items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return Array.from(files, (file) => ({ path: file.name, file }));
  const found: GivenFile[] = [];
  for (const entry of entries) await collect(entry, found);
  return found;
}

async function collect(entry: FileSystemEntry, found: GivenFile[]): Promise<void> {
  if (found.length > MOST_FILES) return;
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.push({ path: entry.fullPath.replace(/^\//, ""), file });
  }
  if (!isFolder(entry)) return;
  const reader = entry.createReader();
  // It lists a part of the folder at a time.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) return;
    for (const each of part) await collect(each, found);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
