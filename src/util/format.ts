/** Numbers and words as people read them. */

/** 1,115,394 */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** Two digits at least: "0.83", "2.3", "190" */
export function formatRatio(ratio: number): string {
  return ratio < 10 ? ratio.toPrecision(2) : formatCount(ratio);
}

/** "850 B", "32 MB", "4.1 GB" */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const unit = Math.min(units.length - 1, Math.floor((String(Math.round(bytes)).length - 1) / 3));
  const number = bytes / Number(`1e${3 * unit}`);
  return `${number < 10 && unit > 0 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
}

/** "850 ms", "12 s", "3 min 20 s", "2 h 5 min" */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Nats with four digits after the point, as losses are compared. */
export function formatLoss(nats: number): string {
  return nats.toFixed(4);
}

/** "1 step", "2 steps" */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A word that a shell reads as it stands: quoted where it must be. */
export function shellWord(word: string): string {
  return /^[\w./@%+=:,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The middle of the sorted numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * A message for a terminal, its lines broken between words. Lines to be copied stay whole: those that are indented or
 * hold a command.
 *
 * @param columns how wide the terminal is; undefined where there is none, and nothing is broken
 */
export function fitMessage(message: string, columns: number | undefined): string {
  if (columns === undefined) return message;
  const fit = (line: string) => (/^ |npx nopeek/.test(line) ? [line] : wrap(line.split(" "), columns));
  return message.split("\n").flatMap(fit).join("\n");
}

/**
 * A line for a terminal, broken between words where it is too long. What follows a label and two spaces or more, or the
 * room for a label, goes on below itself. Lines to be copied stay whole, as in `fitMessage`.
 */
export function fitLine(line: string, columns: number | undefined): string {
  if (columns === undefined || line.length <= columns || /^ {1,3}\S|npx nopeek/.test(line)) return line;
  const label = /^(?: {4,}|\S(?:\S| (?! ))* {2,})/.exec(line)?.[0] ?? "";
  const indent = label.length <= columns / 2 ? label.length : 0;
  const [first, ...rest] = wrap(line.slice(indent).split(" "), columns - indent);
  return [line.slice(0, indent) + first, ...rest.map((words) => " ".repeat(indent) + words)].join("\n");
}

/** Words put together into lines of at most `width` columns; a word that is longer stands alone. */
export function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
