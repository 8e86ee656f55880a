/** The one algorithm of seedrandom that is used; the package declares only all of them together. */
declare module "seedrandom/lib/alea.js" {
  import seedrandom from "seedrandom";

  const alea: typeof seedrandom.alea;
  export default alea;
}
