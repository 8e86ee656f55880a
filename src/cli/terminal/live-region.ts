/**
 * A few lines at the bottom of the terminal that are redrawn in place while permanent lines are printed above them.
 *
 * Between writes, the cursor is at the first column of the region's first line. When a terminal gets narrower, it may
 * wrap long lines, truncate them or leave them alone. The cursor stays on its character in any case, so erasing from
 * the cursor down erases exactly the region. (Some terminals move the cursor down by one line for each line wrapped
 * below it; the caller has to say so.)
 */
import { stripVTControlCharacters } from "node:util";
import { columnsOf } from "./columns.ts";
import { printableDrawing } from "./styled.ts";

/** The terminal stream that a region is drawn on. */
export interface Screen {
  /** 0 or undefined if the terminal does not report its size. */
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const [USUAL_COLUMNS, USUAL_ROWS] = [80, 24];

/** A region may use this many rows, however low the terminal is, and this share of a higher one. */
const FEW_ROWS = 10;
const SHARE_OF_ROWS = 2 / 3;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
/** Terminals that support these show everything between them at once. */
const [BEGIN_FRAME, END_FRAME] = ["\x1b[?2026h", "\x1b[?2026l"];
const TO_LINE_END = "\x1b[K";
const TO_SCREEN_END = "\x1b[J";

export class LiveRegion {
  readonly #screen: Screen;
  readonly #movesCursor: boolean;
  /** The lines on screen, or null if none are drawn and the cursor is where text continues. */
  #lines: readonly string[] | null = null;
  /** The terminal's height when they were drawn. */
  #drawnRows = 0;

  /** @param movesCursor whether this terminal moves the cursor down when it wraps lines below it */
  constructor(screen: Screen, movesCursor = false) {
    this.#screen = screen;
    this.#movesCursor = movesCursor;
  }

  /**
   * The largest frame. It is one column narrower than the terminal because some terminals wrap lines of exactly their
   * width. It leaves a third of the rows, so that the whole region stays in view, and can be erased, if the terminal
   * gets narrower and wraps half of its lines.
   */
  get size(): { readonly columns: number; readonly rows: number } {
    const columns = this.#screen.columns || USUAL_COLUMNS;
    const rows = this.#screen.rows || USUAL_ROWS;
    const share = Math.max(FEW_ROWS, Math.floor(SHARE_OF_ROWS * rows));
    return { columns: Math.max(1, columns - 1), rows: Math.max(1, Math.min(share, rows - 1)) };
  }

  /**
   * Draws the region over its previous contents.
   *
   * @param lines  at least one line, within `size`
   * @param afresh whether the terminal may have moved or wrapped lines since the last draw
   */
  draw(lines: readonly string[], afresh = false): void {
    const start = this.#lines === null ? HIDE_CURSOR : "\r";
    const erasing = afresh ? `${up(this.#rowsMoved())}${TO_SCREEN_END}` : "";
    this.#write(`${start}${erasing}${drawing(lines)}`);
    this.#lines = lines;
    this.#drawnRows = this.#screen.rows ?? 0;
  }

  /** Prints permanent lines above the region. */
  print(text: string): void {
    const shown = printableDrawing(text);
    if (this.#lines === null) this.#screen.write(`${shown}\n`);
    else this.#write(`\r${TO_SCREEN_END}${shown}\n${drawing(this.#lines)}`);
  }

  /** Ends the region: its last frame stays on screen, and the cursor is shown again below it. */
  rest(): void {
    if (this.#lines === null) return;
    // These line breaks only move the cursor: the lines already exist.
    this.#write(`\r${"\n".repeat(this.#lines.length)}${SHOW_CURSOR}`);
    this.#lines = null;
  }

  /** How many lines too low the cursor is if the terminal got narrower since the last draw. */
  #rowsMoved(): number {
    if (!this.#movesCursor || this.#lines === null) return 0;
    // A change of height also moves lines, differently in each terminal. Erase too little rather than a printed line.
    if ((this.#screen.rows ?? 0) !== this.#drawnRows) return 0;
    const columns = this.#screen.columns || USUAL_COLUMNS;
    const rows = this.#lines.map((line) => Math.ceil(columnsOf(stripVTControlCharacters(line)) / columns));
    return rows.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
  }

  #write(text: string): void {
    this.#screen.write(`${BEGIN_FRAME}${text}${END_FRAME}`);
  }
}

/** Draws lines from the cursor down and returns the cursor to its position. */
function drawing(lines: readonly string[]): string {
  const text = lines.map((line) => `${printableDrawing(line)}${TO_LINE_END}`).join("\n");
  return `${text}${TO_SCREEN_END}\r${up(lines.length - 1)}`;
}

function up(count: number): string {
  return count > 0 ? `\x1b[${count}A` : "";
}
