// The package for Node: the same, but for where the WebAssembly is read from.

import { readFile } from "node:fs/promises";
import { Gridkey } from "./facade.js";
import { load } from "./load.js";

export * from "./shared.js";

const find = () => readFile(new URL("./wasm/gridkey_bg.wasm", import.meta.url));

export const init = (source, options) => load(find, source, options);

export const createGridkey = (options) => new Gridkey(options, init);
