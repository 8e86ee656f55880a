/**
 * The service worker of the static site. It adds the headers that isolate the page, which hosts of static files do not
 * send, and keeps the files, so that the page works offline after the first visit.
 *
 * `nopeek play` sends the headers itself and has no service worker: it would stay in the browser, and answer for other
 * programs that use the port later.
 */
import { HEADERS } from "./headers.ts";
import { SITE_FILES, type SiteBuild, type SiteFile, TAKE_OVER } from "./site-build.ts";

declare const self: ServiceWorkerGlobalScope;
/** Defined by `npm run build:page`. */
declare const SITE_BUILD: SiteBuild;

/** The folder of the site, with a slash at its end. */
const SCOPE = self.registration.scope;
/** Sites in other folders of the host have caches too. */
const CACHE_PREFIX = `nopeek ${SCOPE} `;
const CACHE = CACHE_PREFIX + SITE_BUILD.version;
const FILE_AT: ReadonlyMap<string, SiteFile> = new Map(SITE_FILES.map((file) => [addressOf(file), file]));

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { url, method } = event.request;
  const file = FILE_AT.get(withoutSettings(url));
  if (method === "GET" && file !== undefined) event.respondWith(answer(file));
});
self.addEventListener("message", (event) => {
  if (event.data === TAKE_OVER) event.waitUntil(takeOver());
});

/** Fetches what every visit needs. It fails as a whole, so that files of two builds never come together. */
async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  const needed = SITE_FILES.filter(({ group }) => group !== "on demand");
  await Promise.all(
    needed.map(async (file) => {
      await cache.put(addressOf(file), await download(file, SITE_BUILD.integrity[file.path]));
    }),
  );
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  // The page of the first visit hears of this, and loads again with the headers.
  await self.clients.claim();
}

async function answer(file: SiteFile): Promise<Response> {
  const cache = await caches.open(CACHE);
  const stored = await cache.match(addressOf(file));
  if (stored !== undefined) return stored;
  const fetched = await download(file);
  // A full disk costs the use offline, not the visit.
  await cache.put(addressOf(file), fetched.clone()).catch(() => undefined);
  return fetched;
}

/** @throws TypeError if there is no network, or the host sends an error or another file */
async function download(file: SiteFile, integrity = ""): Promise<Response> {
  const fetched = await fetch(addressOf(file), { cache: "no-cache", integrity });
  if (!fetched.ok) throw new TypeError(`${fetched.url}: the host answered ${fetched.status}`);
  return new Response(fetched.body, { headers: { ...HEADERS, "content-type": file.type } });
}

/** Replaces the service worker of an earlier build, unless another tab uses that build. */
async function takeOver(): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const ours = pages.filter(({ url }) => url.startsWith(SCOPE));
  if (ours.length <= 1) await self.skipWaiting();
}

function addressOf({ path }: SiteFile): string {
  return new URL(path, SCOPE).href;
}

/** Links to the page contain its settings. */
function withoutSettings(address: string): string {
  return address.replace(/[?#].*$/s, "");
}
