/** Keeps the control that has the focus where the reader sees it, while the page is still being drawn. */

/**
 * Scrolls with the focused control if something above it changes its height and would push it out of the window.
 * Browsers anchor scrolling to the highest element in view, which may stay while the control below it moves.
 *
 * @param content holds all that changes its height
 * @example keepFocusInView(document.body)
 */
export function keepFocusInView(content: HTMLElement): void {
  let control: Element | null = null;
  /** From the start of the page to the control, in pixels; scrolling does not change it. */
  let place = 0;
  const look = () => {
    control = document.activeElement;
    place = (control?.getBoundingClientRect().top ?? 0) + scrollY;
  };
  const follow = () => {
    const [controlBefore, placeBefore] = [control, place];
    look();
    if (control === null || control !== controlBefore) return;
    const { top, bottom } = control.getBoundingClientRect();
    const pushed = place - placeBefore;
    const isIn = (from: number, to: number) => to > 0 && from < innerHeight;
    // A control that the reader has scrolled away from stays away.
    if (!isIn(top, bottom) && isIn(top - pushed, bottom - pushed)) scrollBy(0, pushed);
  };
  content.addEventListener("focusin", look);
  new ResizeObserver(follow).observe(content);
}
