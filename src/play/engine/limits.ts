/** How much a person can bring in. A browser's page has less memory than a machine. */

/** The largest text. In training it takes about ten times as much memory. */
export const MOST_TEXT_BYTES = 20_000_000;
/** The files of a run together: those of its latest and its best step, its config and its log. */
export const MOST_RUN_BYTES = 256_000_000;
/** Files in a folder or a zip file. */
export const MOST_FILES = 2000;
