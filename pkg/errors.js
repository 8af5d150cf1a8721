/** Defines a property by the own members of `descriptor`: a `get` that somebody has put on `Object.prototype` is none of it. */
export const define = (object, name, descriptor) => Object.defineProperty(object, name, { __proto__: null, ...descriptor });

/** Thrown by everything in this package. Branch on `code`; `instanceof` is not needed. */
export class GridkeyError extends Error {
  /** @param {object} fields what is known of the error, as `index.d.ts` has it */
  constructor(message, fields, cause) {
    super(message, cause === undefined ? undefined : { cause });
    // Not the class's name, which minifiers change.
    define(this, "name", { value: "GridkeyError", configurable: true, writable: true });
    for (const name of Object.keys(fields)) {
      define(this, name, { value: fields[name], enumerable: true, configurable: true });
    }
  }
}

export function isGridkeyError(error) {
  return error instanceof Error && error.name === "GridkeyError" && typeof error.code === "string";
}

const failure = (code, recovery) => (message, cause) => new GridkeyError(message, { code, recovery }, cause);

export const wasmUnavailable = /* @__PURE__ */ failure("wasm_unavailable", "integrator");
export const wasmBlockedByCsp = /* @__PURE__ */ failure("wasm_blocked_by_csp", "integrator");
export const instanceLost = /* @__PURE__ */ failure("instance_lost", "retry");
export const usedAfterFree = /* @__PURE__ */ failure("used_after_free", "integrator");
export const invalidArgument = /* @__PURE__ */ failure("invalid_argument", "integrator");
