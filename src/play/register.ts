/**
 * Registers the service worker of the static site, and loads the page again if that isolates it. It never does so twice
 * in a row, nor after a person has clicked or typed something.
 */
import { SERVICE_WORKER } from "./site-files.ts";

const RELOADED = "nopeek reloaded";

if (navigator.serviceWorker !== undefined) {
  // Without a service worker, as with blocked storage, the page works on one thread and needs the network.
  void register(navigator.serviceWorker).catch(() => undefined);
}

async function register(container: ServiceWorkerContainer): Promise<void> {
  const isReload = sessionStorage.getItem(RELOADED) !== null;
  sessionStorage.removeItem(RELOADED);
  // A page that came from the service worker has its headers: loading it again would change nothing.
  const lacksHeaders = container.controller === null && !crossOriginIsolated;
  const reload = () => {
    if (!lacksHeaders || isReload || navigator.userActivation?.hasBeenActive) return;
    sessionStorage.setItem(RELOADED, "");
    location.reload();
  };
  container.addEventListener("controllerchange", reload);
  const { active } = await container.register(SERVICE_WORKER);
  // Shift and reload loads a page around its service worker.
  if (active !== null) reload();
}
