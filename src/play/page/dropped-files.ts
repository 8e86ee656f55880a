/** Finds the files that a person drops or chooses, folders included. */
import type { GivenFile } from "../protocol.ts";

/** More files than any run has. A folder of more is not searched to its end, and refused. */
const MOST_FILES = 2000;

/** Opens the browser's dialog for files. `take` gets them once they are chosen. */
export function chooseFiles(parent: HTMLElement, folder: boolean, take: (files: GivenFile[]) => void): void {
  const input = document.createElement("input");
  input.type = "file";
  input.hidden = true;
  input.webkitdirectory = folder;
  input.addEventListener("change", () => {
    take(Array.from(input.files ?? [], (file) => ({ path: file.webkitRelativePath || file.name, file })));
    input.remove();
  });
  input.addEventListener("cancel", () => input.remove());
  parent.append(input);
  input.click();
}

/** Accepts files that are dropped anywhere on the page. */
export function acceptDrops(take: (files: Promise<GivenFile[]>) => void): void {
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const mark = (isOver: boolean) => document.body.classList.toggle("dropping", isOver);
  window.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  window.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) mark(false);
  });
  window.addEventListener("drop", (event) => {
    mark(false);
    if (!hasFiles(event) || event.dataTransfer === null) return;
    event.preventDefault();
    take(droppedFiles(event.dataTransfer));
  });
}

async function droppedFiles({ items, files }: DataTransfer): Promise<GivenFile[]> {
  // Both lists are empty after the first pause.
  const entries = Array.from(items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: GivenFile[] = [];
  if (entries.length === 0) for (const file of files) found.push({ path: file.name, file });
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
