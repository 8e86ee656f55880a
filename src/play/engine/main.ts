/** The worker that computes: it opens a backend and answers the questions of the page, one at a time. */
import type { Question, Reply } from "../protocol.ts";
import { Engine, type Host } from "./engine.ts";
import { openEngineBackend, wantedBackend } from "./open-backend.ts";
import { answerOf } from "./questions.ts";
import { shownOf } from "./recipes.ts";
import { shelf } from "./shelf.ts";

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

const host: Host = {
  fetch: async (path) => {
    // Browsers say no more than "Failed to fetch" if there is no connection.
    const response = await fetch(new URL(path, location.href)).catch(() => null);
    if (response?.ok) return response;
    const status = response === null ? "" : ` (status ${response.status})`;
    throw new Error(`${path} could not be fetched${status}. Check the connection, then load the page again.`);
  },
  emit: (event) => reply({ kind: "event", event }),
  now: () => performance.now(),
  shelf,
  // A timer would wait for at least four milliseconds.
  pause: () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      channel.port2.postMessage(null);
    }),
};

const wanted = wantedBackend(location.search, navigator.hardwareConcurrency);
const [kernels, worker] = ["kernels.wasm", "thread.js"].map((name) => new URL(name, location.href));
const opened = openEngineBackend(wanted, kernels, worker).then(({ opened, ...engine }) => {
  const recipes = { small: shownOf("small"), tales: shownOf("tales") };
  host.emit({ kind: "ready", engine, recipes });
  const started = new Engine(opened, host);
  void started.kept.report();
  return started;
});
opened.catch((error) => host.emit({ kind: "failed", message: messageOf(error) }));

self.addEventListener("message", ({ data }: MessageEvent<Question>) => void answer(data));

async function answer({ id, name, request }: Question): Promise<void> {
  try {
    const engine = await opened;
    const computed = await engine.queue.run(async () => (await answerOf(name))(engine, request as never));
    reply({ kind: "answer", id, answer: computed });
  } catch (error) {
    reply({ kind: "refusal", id, message: messageOf(error) });
  }
}

function reply(message: Reply): void {
  self.postMessage(message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
