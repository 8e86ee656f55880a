import type { App } from "../app.ts";

export function mountMask(_body: HTMLElement, _app: App): void {}
