/** Starts the page: the engine, the bar, and each section. */
import { App } from "./app.ts";
import { mountBar } from "./bar.ts";
import { find } from "./elements.ts";
import { EngineClient } from "./engine-client.ts";
import { keepFocusInView } from "./focus.ts";
import { readLink } from "./link.ts";
import { mountBeams } from "./sections/beams.ts";
import { mountCompare } from "./sections/compare.ts";
import { mountKept } from "./sections/kept.ts";
import { mountKinds } from "./sections/kinds.ts";
import { mountLeaks } from "./sections/leaks.ts";
import { mountMask } from "./sections/mask.ts";
import { mountPadding } from "./sections/padding.ts";
import { mountToken } from "./sections/token.ts";
import { mountTrain } from "./sections/train.ts";
import { mountYours } from "./sections/yours.ts";

// A query such as ?threads=2 is the engine's, which is beside this file.
const worker = new Worker(new URL(`engine.js${location.search}`, import.meta.url), { type: "module" });
const engine = new EngineClient(worker);
const link = readLink(location.hash);
const app = new App(engine, { mask: link.mask, model: "training", run: null });

mountBar(find("controls"), find("status"), app);
mountCompare(find("compare"), app);
mountKept(find("kept"), app);
const sections = {
  train: mountTrain,
  mask: mountMask,
  leaks: mountLeaks,
  token: mountToken,
  beams: mountBeams,
  padding: mountPadding,
  kinds: mountKinds,
  yours: mountYours,
};
for (const [id, mount] of Object.entries(sections)) {
  const body = find(id).querySelector(".body");
  if (body instanceof HTMLElement) mount(body, app);
}
keepFocusInView(document.body);
