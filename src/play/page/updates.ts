/** Keeps a section up to date while it can be seen: one update at a time, and never for a state that has passed. */
import type { App } from "./app.ts";
import { Refusal } from "./engine-client.ts";

/** Sections that look at a model in training are drawn again at most this often. */
const REFRESH_MS = 500;
/** In pixels; where a link to a section scrolls to, see `scroll-margin-top` in base.css. */
const BAR_HEIGHT = 88;

/**
 * Calls `update` when the section comes into view, when the mask or the model changes, and while the model that it
 * looks at is training. Calls that come during an update are joined into one.
 *
 * @param report draws the section with a refusal of the engine, or null for none. Called when the section can be seen, so
 *   that it does not grow and push others away before
 * @returns requests an update, after a control of the section was changed
 */
export function keepUpdated(
  section: HTMLElement,
  app: App,
  update: () => Promise<void>,
  report: (message: string | null) => void,
): () => void {
  let [isVisible, isRunning, isStale] = [false, false, true];
  /** What to report; undefined if it has been. */
  let outcome: string | null | undefined;
  const show = () => {
    if (!isVisible || outcome === undefined) return;
    const message = outcome;
    outcome = undefined;
    report(message);
  };
  const run = async () => {
    if (isRunning || !isVisible || !isStale) return;
    isRunning = true;
    try {
      while (isStale) {
        isStale = false;
        await update();
      }
      outcome = null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      outcome = error.message;
    } finally {
      isRunning = false;
    }
    show();
    if (isStale) void run();
  };
  const request = () => {
    isStale = true;
    void run();
  };
  const watch = (entries: readonly IntersectionObserverEntry[]) => {
    isVisible = entries.at(-1)?.isIntersecting ?? false;
    show();
    void run();
  };
  // A section that grows behind the bar would push away the one that is read.
  new IntersectionObserver(watch, { rootMargin: `-${BAR_HEIGHT}px 0px 0px 0px` }).observe(section);
  app.onChange((state, before) => {
    if (state.mask !== before.mask || state.model !== before.model) request();
    else if (state.model === "training" && state.run?.stepsDone !== before.run?.stepsDone) isStale = true;
  });
  setInterval(() => void run(), REFRESH_MS);
  return request;
}
