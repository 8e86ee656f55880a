/** What `npm run build:page`, the service worker of the static site and the script that registers it agree on. */
import { ASSETS, type Asset } from "./assets.ts";

/** A file of the static site. */
export type SiteFile = Omit<Asset, "file">;

export const REGISTER: SiteFile = {
  path: "register.js",
  type: "text/javascript; charset=utf-8",
  group: "shell",
};
export const SERVICE_WORKER = "service-worker.js";

/** Every file of the site that its service worker answers for. */
export const SITE_FILES: readonly SiteFile[] = [...ASSETS, REGISTER];

/** What a build of the site puts into its service worker. */
export interface SiteBuild {
  /** A hash of all files: browsers install a service worker again when its text changes. */
  readonly version: string;
  /** SHA-256 of each file by its path, in the form of the attribute `integrity`. */
  readonly integrity: Readonly<Record<string, string>>;
}

/** The message that asks a new service worker to replace the one of an earlier build. */
export const TAKE_OVER = "nopeek take over";
