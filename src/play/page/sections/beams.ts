import type { App } from "../app.ts";

export function mountBeams(_body: HTMLElement, _app: App): void {}
