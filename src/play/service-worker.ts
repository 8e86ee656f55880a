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

/** A file of this build or another one. */
interface Asked {
  readonly file: SiteFile;
  readonly build: string;
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
      const asked = { file, build: BUILD };
      const fetched = await download(asked);
      if (file.path === "") await checkBuild(fetched.clone());
      await cache.put(addressOf(asked), fetched);
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

async function answer(asked: Asked): Promise<Response> {
  if (asked.file.group === "on demand") return dataOf(asked.file);
  // The cache is named, because a match in all of them waits for what is being written to any.
  const stored = await caches.match(addressOf(asked), { cacheName: BUILD_CACHES + asked.build });
  return stored ?? download(asked);
}

async function dataOf(file: SiteFile): Promise<Response> {
  const cache = await caches.open(DATA_CACHE);
  const key = new URL(file.path, SCOPE);
  const stored = await cache.match(key);
  if (stored !== undefined) return stored;
  const { body, headers } = await download({ file, build: BUILD });
  const bytes = await new Response(body).arrayBuffer();
  // A full disk costs the use offline, not the visit.
  await cache.put(key, new Response(bytes, { headers })).catch(() => undefined);
  return new Response(bytes, { headers });
}

/** @throws TypeError if there is no network, or the host answers with an error */
async function download(asked: Asked): Promise<Response> {
  const address = addressOf(asked);
  const fetched = await fetch(address, { cache: "no-cache" });
  if (!fetched.ok) throw new TypeError(`${address}: the host answered ${fetched.status}`);
  return new Response(fetched.body, { headers: { ...HEADERS, "content-type": asked.file.type } });
}

/** Links to the page contain its settings, behind ? or #. */
function fileAt(url: string): Asked | null {
  const address = url.replace(/[?#].*$/s, "");
  if (!address.startsWith(SCOPE)) return null;
  const [, build = BUILD, path] =
    /^(?:([\da-f]{16})\/)?(?:index\.html$)?(.*)$/s.exec(address.slice(SCOPE.length)) ?? [];
  const file = SITE_FILES.find((each) => each.path === path);
  return file === undefined ? null : { file, build };
}

/** The page has the same address in every build. */
function addressOf({ file: { path }, build }: Asked): string {
  return path === "" ? SCOPE : new URL(`${build}/${path}`, SCOPE).href;
}
