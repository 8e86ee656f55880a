/** Terminal capabilities: colors and Unicode. */

/** A stream that may be a terminal. */
interface Output {
  readonly isTTY?: boolean;
  hasColors?(): boolean;
}

/**
 * Decides whether to use colors on a stream. The flag wins; otherwise Node applies the conventions: NO_COLOR,
 * FORCE_COLOR, COLORTERM, TERM=dumb and the terminal's own capabilities.
 *
 * @param flag `--color` or `--no-color`, or undefined if neither was given
 */
export function wantsColor(stream: Output, flag?: boolean): boolean {
  return flag ?? (stream.isTTY === true && stream.hasColors?.() === true);
}

/**
 * Whether lines on a stream can be redrawn in place. A build server may give its jobs a terminal, and keeps all that is
 * written to it.
 */
export function canRedraw(stream: Output, { TERM, CI = "" } = process.env): boolean {
  return stream.isTTY === true && TERM !== "dumb" && ["", "0", "false"].includes(CI);
}

/** Whether the terminal can draw Braille curves. The Linux console and older Windows consoles cannot. */
export function hasUnicode(env = process.env, platform = process.platform): boolean {
  if (platform !== "win32") return env.TERM !== "linux";
  return Boolean(env.WT_SESSION || env.TERM_PROGRAM || env.ConEmuTask || env.TERM?.startsWith("xterm"));
}
