/** Styles of a report: for phones and desktops, light and dark color schemes, and print. */
import { DARK, LIGHT, type Palette } from "./run-styles.ts";

function variables({ paper, ink, mute, grid, runs }: Palette): string {
  const colors = runs.map((color, i) => `--run-${i}:${color};`).join("");
  return `--paper:${paper};--ink:${ink};--mute:${mute};--grid:${grid};${colors}`;
}

/** Styles for the classes in chart-svg.ts. */
function charts(): string {
  const runs = LIGHT.runs.map((_, i) => `.s${i}{stroke:var(--run-${i})}.f${i}{fill:var(--run-${i})}`);
  return `.ink{fill:var(--ink)}.mute{fill:var(--mute)}.grid{stroke:var(--grid)}.level{stroke:var(--mute)}${runs.join("")}`;
}

export const STYLE = `
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header,main,footer{max-width:1120px;margin:0 auto;padding:0 16px}
h1{font-size:1.5rem;line-height:1.25;margin:24px 0 4px;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:36px 0 8px}
h3{font-size:1rem;margin:16px 0 4px;overflow-wrap:anywhere}
p{margin:4px 0}
.quiet,footer{color:var(--mute);font-size:.9rem}
footer{margin-top:40px;padding-bottom:32px}
.warning{border-left:4px solid var(--ink);padding:8px 12px;margin:16px 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:4px 16px 4px 0;border-bottom:1px solid var(--grid)}
th{font-weight:600}
tbody th{font-weight:400;color:var(--mute)}
@media (min-width:600px){tbody th{white-space:nowrap}}
td{font-variant-numeric:tabular-nums;min-width:6rem;max-width:22rem;overflow-wrap:break-word}
tr.differs th,tr.differs td{font-weight:600;color:var(--ink)}
@media (max-width:599px){table,tbody,tr,th,td{display:block}thead{display:none}tr{border-bottom:1px solid var(--grid);padding:4px 0}th,td{border:0;padding:0;max-width:none;overflow-wrap:anywhere}td[data-run]::before{content:attr(data-run) ": ";color:var(--mute);font-weight:400}}
fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:2px 14px;align-items:center}
legend{float:left;color:var(--mute);padding:0 6px 0 0}
form{display:flex;flex-wrap:wrap;gap:6px 32px;margin:8px 0;font-size:.92rem}
label{display:inline-flex;gap:6px;align-items:center;min-height:32px;overflow-wrap:anywhere}
input[type=range]{width:160px}
.keys{list-style:none;margin:8px 0;padding:0;display:flex;flex-wrap:wrap;gap:0 20px;font-size:.92rem}
.keys svg{flex:none}
.chart{position:relative;margin:8px 0;touch-action:pan-y}
.chart svg{display:block;max-width:100%;height:auto}
.chart:focus-visible{outline:2px solid var(--ink);outline-offset:4px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:8px 32px}
.tip{position:absolute;z-index:1;top:0;left:0;pointer-events:none;background:var(--paper);color:var(--ink);border:1px solid var(--mute);border-radius:4px;padding:6px 10px;font-size:.82rem;line-height:1.4;max-width:min(340px,100%);overflow-wrap:anywhere}
[hidden]{display:none!important}
.tip b{display:block}
.tip dl{margin:0;display:grid;grid-template-columns:auto 1fr auto;gap:0 8px;align-items:center}
.tip dt{grid-column:2}
.tip dd{margin:0;font-variant-numeric:tabular-nums;text-align:right}
.tip svg{grid-column:1;display:block}
.cross{stroke:var(--mute)}
.runs{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:0 32px}
summary{cursor:pointer;min-height:32px;padding:4px 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0;font:.88rem/1.45 ui-monospace,monospace}
.sample{border-left:3px solid var(--grid);padding:2px 0 2px 12px}
noscript+*{margin-top:0}
@media print{form,.tip{display:none}}
${charts()}
`;
