/**
 * A few lines at the end of a terminal's text that are drawn again and again, while lines that stay are printed above.
 *
 * Between two writes the cursor stands at the first column of the region's first line. A terminal that gets narrower
 * breaks long lines into more, or cuts them, or leaves them; but the cursor stays at the character where it stood, so
 * whatever became of the lines below it, erasing from there on erases the region and nothing else. (Some terminals
 * move the cursor down by as many lines as were broken below it: those have to be named.)
 */
import { stripVTControlCharacters } from "node:util";
import { columnsOf } from "./columns.ts";

/** What a region is drawn on: a stream of a terminal. */
export interface Screen {
  /** 0 or nothing where the terminal does not say. */
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const [USUAL_COLUMNS, USUAL_ROWS] = [80, 24];

/** So many may be filled, however low the terminal is. */
const FEW_ROWS = 10;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
/** Terminals that know these show what is between them at once. */
const [BEGIN_FRAME, END_FRAME] = ["\x1b[?2026h", "\x1b[?2026l"];
const TO_LINE_END = "\x1b[K";
const TO_SCREEN_END = "\x1b[J";

export class LiveRegion {
  readonly #screen: Screen;
  readonly #sinks: boolean;
  /** null where nothing is drawn: the cursor stands where text goes on. */
  #lines: readonly string[] | null = null;
  /** Of the terminal, when they were drawn. */
  #drawnRows = 0;

  /** @param sinks whether this terminal moves the cursor down when it breaks lines below it */
  constructor(screen: Screen, sinks = false) {
    this.#screen = screen;
    this.#sinks = sinks;
  }

  /**
   * What a frame may fill. Some terminals break lines that are just as wide as they are. And half of the lines is
   * enough: if the terminal gets narrower and breaks each in two, all of them are still in view, where they can be
   * erased.
   */
  get size(): { readonly columns: number; readonly rows: number } {
    const columns = this.#screen.columns || USUAL_COLUMNS;
    const rows = this.#screen.rows || USUAL_ROWS;
    const half = Math.max(FEW_ROWS, Math.floor(rows / 2));
    return { columns: Math.max(1, columns - 1), rows: Math.max(1, Math.min(half, rows - 1)) };
  }

  /**
   * Draws the region, in place of what it showed.
   *
   * @param lines  no wider and no more than `size` says; one at least
   * @param afresh whether the terminal may have moved or broken lines since
   */
  draw(lines: readonly string[], afresh = false): void {
    const start = this.#lines === null ? HIDE_CURSOR : "\r";
    const erasing = afresh ? `${up(this.#sunkBy())}${TO_SCREEN_END}` : "";
    this.#write(`${start}${erasing}${drawing(lines)}`);
    this.#lines = lines;
    this.#drawnRows = this.#screen.rows ?? 0;
  }

  /** Prints lines that stay, above the region. */
  print(text: string): void {
    if (this.#lines === null) this.#screen.write(`${text}\n`);
    else this.#write(`\r${TO_SCREEN_END}${text}\n${drawing(this.#lines)}`);
  }

  /** Leaves the region as it stands, a part of the text from now on, and gives the cursor back below it. */
  rest(): void {
    if (this.#lines === null) return;
    // Each line break is there already, and moves the cursor down.
    this.#write(`\r${"\n".repeat(this.#lines.length)}${SHOW_CURSOR}`);
    this.#lines = null;
  }

  /** How many lines the cursor stands too low, if the terminal has got narrower since the last drawing. */
  #sunkBy(): number {
    if (!this.#sinks || this.#lines === null) return 0;
    // One that has got lower or higher too has moved lines by rules of its own. Rather too little is erased than a line
    // that was printed above.
    if ((this.#screen.rows ?? 0) !== this.#drawnRows) return 0;
    const columns = this.#screen.columns || USUAL_COLUMNS;
    const rows = this.#lines.map((line) => Math.ceil(columnsOf(stripVTControlCharacters(line)) / columns));
    return rows.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
  }

  #write(text: string): void {
    this.#screen.write(`${BEGIN_FRAME}${text}${END_FRAME}`);
  }
}

/** Lines from the cursor on, and the cursor back where it was. */
function drawing(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}${TO_LINE_END}`).join("\n");
  return `${text}${TO_SCREEN_END}\r${up(lines.length - 1)}`;
}

function up(count: number): string {
  return count > 0 ? `\x1b[${count}A` : "";
}
