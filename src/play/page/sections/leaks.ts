import type { App } from "../app.ts";

export function mountLeaks(_body: HTMLElement, _app: App): void {}
