// The package without a way to find its WebAssembly: for libraries, whose users have that way.

import { Gridkey } from "./facade.js";
import { wasmUnavailable } from "./errors.js";
import { load } from "./load.js";

export * from "./shared.js";

const find = () => {
  throw wasmUnavailable(
    "`gridkey/slim` does not look for its WebAssembly: call `await init(source)` first, with the address, a Response, the bytes or a Module of `gridkey/gridkey.wasm`.",
  );
};

export const init = (source, options) => load(find, source, options);

export const createGridkey = (options) => new Gridkey(options, init);
