/** Makes the page a static site in the folder site, which any host of static files can serve: npm run build:page */
import { buildSite } from "./site.ts";

process.stdout.write(`site: build ${await buildSite("site")}\n`);
