/** The settings in the page's link, after the #: a link opens the page as another person has set it. */
import { MASK_MODES, type MaskMode } from "../masks.ts";
import { RECIPES, type Recipe, SHOWN } from "../settings.ts";

export interface LinkState {
  readonly recipe: Recipe;
  readonly mask: MaskMode;
  /** Changed settings, and settings of other sections, by their names. */
  readonly values: Readonly<Record<string, string>>;
}

/** Reads a link. Unknown names are kept for the sections, wrong values are left out. */
export function readLink(hash: string): LinkState {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const recipe = RECIPES.find((name) => name === given.get("recipe")) ?? "small";
  const mask = MASK_MODES.find((mode) => mode === given.get("mask")) ?? "on";
  const values = Object.fromEntries([...given].filter(([name]) => name !== "recipe" && name !== "mask"));
  return { recipe, mask, values };
}

/** The link of a state, without empty values. */
export function writeLink({ recipe, mask, values }: LinkState): string {
  const link = new URLSearchParams();
  if (recipe !== "small") link.set("recipe", recipe);
  if (mask !== "on") link.set("mask", mask);
  for (const [name, value] of Object.entries(values)) if (value !== "") link.set(name, value);
  const text = link.toString();
  return text === "" ? "" : `#${text}`;
}

/** The settings of training in a link, as numbers. */
export function changesIn({ values }: LinkState): Record<string, number> {
  const given = SHOWN.filter((name) => values[name] !== undefined && values[name] !== "");
  return Object.fromEntries(given.map((name) => [name, Number(values[name])]));
}

/** The link without changed settings of training. */
export function withoutChanges(link: LinkState): LinkState {
  const isSetting = (name: string) => SHOWN.some((shown) => shown === name);
  const kept = Object.entries(link.values).filter(([name]) => !isSetting(name));
  return { ...link, values: Object.fromEntries(kept) };
}
