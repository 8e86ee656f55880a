/**
 * The service worker of the static site. It adds the headers that isolate the page, which hosts of static files do not
 * send, and keeps the files, so that the page works offline after the first visit.
 *
 * `nopeek play` sends the headers itself and has no service worker: it would stay in the browser, and answer for other
 * programs that use the port later.
 */
import { HEADERS } from "./headers.ts";
import { SITE_FILES, type SiteFile } from "./site-files.ts";

declare const self: ServiceWorkerGlobalScope;
/** Names of this build and of its data: hashes of the files. Defined by `npm run build:page`. */
declare const BUILD: string;
declare const DATA: string;

/** The folder of the site, with a slash at its end. */
const SCOPE = self.registration.scope;
// Sites in other folders of the host have caches too.
const BUILD_CACHES = `nopeek ${SCOPE} build `;
const DATA_CACHES = `nopeek ${SCOPE} data `;
const BUILD_CACHE = BUILD_CACHES + BUILD;
/** What is fetched on demand. Most builds have the same. */
const DATA_CACHE = DATA_CACHES + DATA;
/** A page of the build before may still be open. */
const KEPT_BUILDS = 2;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { url, method } = event.request;
  const asked = fileAt(url);
  if (method === "GET" && asked !== null) event.respondWith(answer(asked));
});

/** A file, and where it is in this build or another one. */
interface Asked {
  readonly file: SiteFile;
  readonly address: string;
}

/** It fails as a whole: a build of which only a part was fetched must not replace another one. */
async function install(): Promise<void> {
  try {
    await fetchBuild();
  } catch (error) {
    await caches.delete(BUILD_CACHE);
    throw error;
  }
  // A page of another build keeps working, because its files have other addresses.
  void self.skipWaiting();
}

/** Fetches what every visit needs. */
async function fetchBuild(): Promise<void> {
  const cache = await caches.open(BUILD_CACHE);
  const needed = SITE_FILES.filter(({ group }) => group !== "on demand");
  await Promise.all(
    needed.map(async (file) => {
      const address = addressOf(file);
      const fetched = await download({ file, address });
      if (file.path === "") await checkBuild(fetched.clone());
      await cache.put(address, fetched);
    }),
  );
}

/** @throws TypeError for a page of another build: the host is being updated */
async function checkBuild(page: Response): Promise<void> {
  if (!(await page.text()).includes(BUILD)) throw new TypeError(`the page is not of build ${BUILD}`);
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  // In the order in which they were made.
  const builds = names.filter((name) => name.startsWith(BUILD_CACHES));
  const data = names.filter((name) => name.startsWith(DATA_CACHES) && name !== DATA_CACHE);
  const old = [...builds.slice(0, -KEPT_BUILDS), ...data];
  await Promise.all(old.map((name) => caches.delete(name)));
  // The page of the first visit hears of this, and loads again with the headers.
  await self.clients.claim();
}

async function answer({ file, address }: Asked): Promise<Response> {
  if (file.group === "on demand") return dataOf(file);
  const stored = await caches.match(address, file.path === "" ? { cacheName: BUILD_CACHE } : {});
  return stored ?? download({ file, address });
}

async function dataOf(file: SiteFile): Promise<Response> {
  const cache = await caches.open(DATA_CACHE);
  const key = new URL(file.path, SCOPE);
  const stored = await cache.match(key);
  if (stored !== undefined) return stored;
  const fetched = await download({ file, address: addressOf(file) });
  // A full disk costs the use offline, not the visit.
  await cache.put(key, fetched.clone()).catch(() => undefined);
  return fetched;
}

/** @throws TypeError if there is no network, or the host answers with an error */
async function download({ file, address }: Asked): Promise<Response> {
  const fetched = await fetch(address, { cache: "no-cache" });
  if (!fetched.ok) throw new TypeError(`${address}: the host answered ${fetched.status}`);
  return new Response(fetched.body, { headers: { ...HEADERS, "content-type": file.type } });
}

/** Links to the page contain its settings, behind ? or #. */
function fileAt(url: string): Asked | null {
  const address = url.replace(/[?#].*$/s, "");
  if (!address.startsWith(SCOPE)) return null;
  const path = address.slice(SCOPE.length).replace(/^(?:[\da-f]{16}\/|index\.html$)/, "");
  const file = SITE_FILES.find((each) => each.path === path);
  return file === undefined ? null : { file, address: path === "" ? SCOPE : address };
}

/** The address of a file of this build. */
function addressOf({ path }: SiteFile): string {
  return path === "" ? SCOPE : new URL(`${BUILD}/${path}`, SCOPE).href;
}
