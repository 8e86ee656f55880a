/**
 * Registers the service worker of the static site, and loads the page again when that changes what it can do. It never
 * does so twice in a row, nor after a person has clicked or typed something.
 */
import { SERVICE_WORKER, TAKE_OVER } from "./site-build.ts";

const RELOADED = "nopeek reloaded";

if (navigator.serviceWorker !== undefined) {
  // Without a service worker, as with blocked storage, the page works on one thread and needs the network.
  void register(navigator.serviceWorker).catch(() => undefined);
}

async function register(container: ServiceWorkerContainer): Promise<void> {
  const fresh = sessionStorage.getItem(RELOADED) === null;
  sessionStorage.removeItem(RELOADED);
  // A page that came from the service worker has its headers: loading it again would change nothing.
  const lacksHeaders = container.controller === null && !crossOriginIsolated;
  let replacing = false;
  const reload = () => {
    if (!fresh || navigator.userActivation?.hasBeenActive) return;
    sessionStorage.setItem(RELOADED, "");
    location.reload();
  };
  container.addEventListener("controllerchange", () => {
    if (lacksHeaders || replacing) reload();
  });
  const { active, waiting } = await container.register(SERVICE_WORKER);
  // Loaded around a service worker that is there, by Shift and reload.
  if (lacksHeaders && active !== null) reload();
  // A new build was fetched during an earlier visit.
  if (waiting !== null && fresh && !navigator.userActivation?.hasBeenActive) {
    replacing = true;
    waiting.postMessage(TAKE_OVER);
  }
}
