/** Finds elements of the page. */

/** @throws Error if the page has no element with this id */
export function find(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
