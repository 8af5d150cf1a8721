import { readFileSync } from "node:fs";

/** A file of the shared test vectors. */
export const vectors = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));

export const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
