/** What the terminal can show: colors, and more characters than ASCII. */

/** A stream that may lead to a terminal. */
interface Output {
  readonly isTTY?: boolean;
  hasColors?(): boolean;
}

/**
 * Whether a stream is to get colors: as the flag says, or as the conventions do. Node knows them: NO_COLOR,
 * FORCE_COLOR, COLORTERM, TERM=dumb and what each terminal can.
 *
 * @param flag `--color` or `--no-color`; undefined where neither was given
 */
export function wantsColor(stream: Output, flag?: boolean): boolean {
  return flag ?? (stream.isTTY === true && stream.hasColors?.() === true);
}

/** Whether curves of dots and the like can be read: the consoles of Linux and of older Windows lack them. */
export function hasUnicode(env = process.env, platform = process.platform): boolean {
  if (platform !== "win32") return env.TERM !== "linux";
  return Boolean(env.WT_SESSION || env.TERM_PROGRAM || env.ConEmuTask || env.TERM?.startsWith("xterm"));
}
