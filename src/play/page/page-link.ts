/** The link of this page, which all sections read and write. */
import { type LinkState, readLink, writeLink } from "./link.ts";

/** What the link says now. */
export function currentLink(): LinkState {
  return readLink(location.hash);
}

/** Makes this the link of the page. */
export function replaceLink(link: LinkState): void {
  history.replaceState(null, "", `${location.pathname}${location.search}${writeLink(link)}`);
}

/** A section's value in the link; undefined if it has none. */
export function recall(name: string): string | undefined {
  return currentLink().values[name];
}

/** Puts a section's value into the link; an empty one is left out. */
export function remember(name: string, value: string): void {
  const link = currentLink();
  replaceLink({ ...link, values: { ...link.values, [name]: value } });
}
