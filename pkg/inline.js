// The package with the WebAssembly inside the JavaScript: for bundlers that lose files, and for
// pages that may fetch nothing.

import { Gridkey } from "./facade.js";
import { load } from "./load.js";
import { WASM } from "./wasm/base64.js";

export * from "./shared.js";

const find = () => Uint8Array.from(atob(WASM), (character) => character.charCodeAt(0));

export const init = (source, options) => load(find, source, options);

export const createGridkey = (options) => new Gridkey(options, init);
