import type { App } from "../app.ts";

export function mountYours(_body: HTMLElement, _app: App): void {}
