/** Keeps a section up to date while it can be seen: one update at a time, and never for a state that has passed. */
import type { App } from "./app.ts";
import { Refusal } from "./engine-client.ts";

/** Sections that look at a model in training are drawn again at most this often. */
const REFRESH_MS = 500;

/**
 * Calls `update` when the section comes into view, when the mask or the model changes, and while the model that it
 * looks at is training. Calls that come during an update are joined into one.
 *
 * @param report shows a refusal of the engine; null clears it
 * @returns requests an update, after a control of the section was changed
 */
export function keepUpdated(
  section: HTMLElement,
  app: App,
  update: () => Promise<void>,
  report: (message: string | null) => void,
): () => void {
  let [isVisible, isRunning, isStale] = [false, false, true];
  const run = async () => {
    if (isRunning || !isVisible || !isStale) return;
    isRunning = true;
    try {
      while (isStale) {
        isStale = false;
        await update();
      }
      report(null);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      report(error.message);
    } finally {
      isRunning = false;
    }
    if (isStale) void run();
  };
  const request = () => {
    isStale = true;
    void run();
  };
  new IntersectionObserver((entries) => {
    isVisible = entries.some(({ isIntersecting }) => isIntersecting);
    void run();
  }).observe(section);
  app.onChange((state, before) => {
    if (state.mask !== before.mask || state.model !== before.model) request();
    else if (state.model === "training" && state.run?.stepsDone !== before.run?.stepsDone) isStale = true;
  });
  setInterval(() => void run(), REFRESH_MS);
  return request;
}
