/** Formats numbers and text for people. */

/** 1,115,394 */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** At least two significant digits: "0.83", "2.3", "190" */
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

/** A loss in nats with four decimals, enough to compare losses. */
export function formatLoss(nats: number): string {
  return nats.toFixed(4);
}

/** "0.8721"; "–" where it is not known. */
export function formatBitsPerByte(bits: number | null): string {
  return bits === null ? "–" : bits.toFixed(4);
}

/** "0.6166 nats, 0.8721 bits per byte"; only the nats where the bits are not known. */
export function describeLoss(nats: number, bitsPerByte: number | null): string {
  const bits = bitsPerByte === null ? "" : `, ${formatBitsPerByte(bitsPerByte)} bits per byte`;
  return `${formatLoss(nats)} nats${bits}`;
}

/** "1 step", "2 steps" */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A word quoted for the shell, if it needs quotes. */
export function shellWord(word: string): string {
  return /^[\w./@%+=:,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The median; of an even count, the mean of the two middle numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Wraps a message for a terminal. Lines meant for copying stay whole: indented lines and lines with a command.
 *
 * @param columns the terminal's width; undefined without a terminal, or 0 if it is unknown: then nothing is wrapped
 */
export function fitMessage(message: string, columns: number | undefined): string {
  if (columns === undefined || columns === 0) return message;
  const fit = (line: string) => (/^ |npx nopeek/.test(line) ? [line] : wrap(line.split(" "), columns));
  return message.split("\n").flatMap(fit).join("\n");
}

/**
 * Wraps one line for a terminal. After a label and two or more spaces, or an indent in place of a label, the text wraps
 * in its column. Lines meant for copying stay whole, as in `fitMessage`.
 */
export function fitLine(line: string, columns: number | undefined): string {
  if (columns === undefined || columns === 0 || line.length <= columns || /^ {1,3}\S|npx nopeek/.test(line))
    return line;
  const label = /^(?: {4,}|\S(?:\S| (?! ))* {2,})/.exec(line)?.[0] ?? "";
  const indent = label.length <= columns / 2 ? label.length : 0;
  const [first, ...rest] = wrap(line.slice(indent).split(" "), columns - indent);
  return [line.slice(0, indent) + first, ...rest.map((words) => " ".repeat(indent) + words)].join("\n");
}

/** Joins words into lines of at most `width` columns. A longer word gets its own line. */
export function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
