/**
 * The files of the static site, as `npm run build:page` and the service worker see them. All but three are in a folder
 * that is named after the build, so that files of two builds never come together:
 *
 *     index.html   service-worker.js   0123456789abcdef/page.js   0123456789abcdef/engine.js   …
 */
import { ASSETS, type Asset } from "./assets.ts";

/** A file of the static site. Its path is relative to the folder of the build; "" is the page itself. */
export type SiteFile = Omit<Asset, "file">;

/** The script that registers the service worker. */
export const REGISTER: SiteFile = {
  path: "register.js",
  type: "text/javascript; charset=utf-8",
  group: "shell",
};
export const SERVICE_WORKER = "service-worker.js";

export const SITE_FILES: readonly SiteFile[] = [...ASSETS, REGISTER];
