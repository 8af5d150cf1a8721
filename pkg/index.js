// The package for browsers, workers and bundlers.

import { Gridkey } from "./facade.js";
import { load } from "./load.js";

export * from "./shared.js";

/** Bundlers know this form: they put the file next to the code and fill in its address. */
const find = () => new URL("./wasm/gridkey_bg.wasm", import.meta.url);

export const init = (source, options) => load(find, source, options);

export const createGridkey = (options) => new Gridkey(options, init);
