import type { InitOptions, WasmSource } from "./index.js";

export * from "./index.js";

/**
 * Loads the WebAssembly from `source`: the package's file `gridkey/gridkey.wasm`, wherever it is
 * served. Every further call returns the same promise; after a failure it tries again.
 *
 * @throws {GridkeyError} `wasm_unavailable`, `wasm_blocked_by_csp`, `invalid_argument`
 */
export function init(source: WasmSource, options?: InitOptions): Promise<void>;
