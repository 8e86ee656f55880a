/** All kernels of the WebAssembly module. `scripts/build-kernels.ts` compiles this file. */
export * from "./attention-backward";
export * from "./attention-forward";
export { constantsEnd } from "./constants";
export * from "./copy";
export * from "./cross-entropy";
export * from "./dropout";
export * from "./gather";
export * from "./gemm";
export * from "./unary";
export * from "./normal";
export * from "./normalize";
export * from "./optimizer";
export * from "./reduce";
export * from "./replay";
export * from "./rotate";
export * from "./softmax";
export * from "./binary";
