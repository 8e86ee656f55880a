import { describe, expect, it } from "vitest";
import { LiveRegion } from "../../../src/cli/terminal/live-region.ts";

/** A terminal that records its output. Its size may change. */
function screenOf(columns: number) {
  const screen = {
    columns,
    rows: 24,
    written: "",
    write(text: string) {
      screen.written += text;
    },
  };
  return screen;
}

describe("a terminal that got narrower", () => {
  const lines = ["x".repeat(45), "y".repeat(10), "z".repeat(21)];

  it.each([
    [true, 20, "\x1b[3A\x1b[J"],
    [true, 40, "\x1b[1A\x1b[J"],
    [false, 20, "\r\x1b[J"],
  ])("erases the region: wrapped lines move the cursor (%s), %i columns", (movesCursor, columns, erased) => {
    const screen = screenOf(60);
    const region = new LiveRegion(screen, movesCursor);
    region.draw(lines);
    screen.columns = columns;
    screen.written = "";
    region.draw(["new"], true);
    expect(screen.written).toContain(`\r${erased.replace("\r", "")}new`);
  });

  it("erases too little rather than printed lines if its height changed too", () => {
    const screen = screenOf(60);
    const region = new LiveRegion(screen, true);
    region.draw(lines);
    Object.assign(screen, { columns: 20, rows: 30, written: "" });
    region.draw(["new"], true);
    expect(screen.written).toContain("\r\x1b[Jnew");
  });
});
