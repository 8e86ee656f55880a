import type { App } from "../app.ts";

export function mountToken(_body: HTMLElement, _app: App): void {}
