// One running instance of the WebAssembly, and what happens when it stops.
//
// A trap leaves an instance with half-done work in it: borrows that are never given back, a stack
// that is never unwound. It must not be used again. So it is wiped, whatever waits for it fails
// with `instance_lost`, and a fresh one takes its place. For that the glue is a function (`cargo
// xtask build` makes it one): each instance has glue, classes and closures of its own, and nothing
// of an old one can reach into a new one.

import { bind, lostError } from "./bridge.js";
import { define, instanceLost, invalidArgument, wasmUnavailable } from "./errors.js";
import { createGlue } from "./wasm/glue.js";

let starting;
/** The module, once there was an instance of it. */
let compiled;
let current;

/** Starts an instance of the module that `compile` gives. The same promise until that fails. */
export function startOnce(compile) {
  return (starting ??= start(compile).catch((error) => {
    starting = undefined;
    throw error;
  }));
}

async function start(compile) {
  const module = await compile();
  const { imports, begin } = prepare();
  try {
    const fresh = begin(await WebAssembly.instantiate(module, imports));
    // Of an instance that took the place of a lost one meanwhile, the objects are in use: numbers
    // mean something else in another.
    current ??= fresh;
  } catch (error) {
    throw wasmUnavailable("The WebAssembly is not of this version of gridkey: serve the file that came with it.", error);
  }
  compiled = module;
}

/** The instance that was lost last and whose end is not over, because there was no stack left for it. */
let ailing;

/** The running instance; a fresh one where the last was lost. */
export function running() {
  ailing?.end();
  if (!compiled) {
    throw wasmUnavailable("The WebAssembly has not been loaded: call `await init()` first.");
  }
  return (current ??= replacement());
}

function replacement() {
  const { imports, begin } = prepare();
  try {
    return begin(new WebAssembly.Instance(compiled, imports));
  } catch (error) {
    // The stack may still be used up, or an old browser allow it in promises only.
    starting = undefined;
    throw instanceLost("The WebAssembly stopped, and could not be started again: call `await init()`.", error);
  }
}

function prepare() {
  const glue = createGlue();
  const instance = new Instance(glue);
  const { imports } = glue;
  for (const functions of Object.values(imports)) {
    for (const name of Object.keys(functions)) functions[name] = instance.guardImport(functions[name]);
  }
  return {
    imports,
    begin({ exports }) {
      glue.start(instance.guardExports(exports));
      if (instance.lost) throw lostError();
      return instance;
    },
  };
}

class Instance {
  lost = false;
  #glue;
  /** How many calls into the WebAssembly are going on, one inside the other. */
  #depth = 0;
  /** How many of them somebody made by `run`, and would catch what they throw. */
  #runs = 0;
  /** What to free when nothing is going on any more. */
  #frees = [];
  #lossListeners = new Set();
  #cause;
  #nextAiling;

  constructor(glue) {
    this.#glue = glue;
    // Before there is a memory that would have to be wiped if this fails.
    this.functions = bind(this, (name) => publicClasses.get(name));
  }

  /** Calls `listener` when this instance is lost. Returns what ends that. */
  whenLost(listener) {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  /** Runs what reads arguments and calls; whatever it comes to, if the instance is lost it was for nothing. */
  run(action) {
    let result;
    this.#runs++;
    try {
      result = action();
    } catch (error) {
      throw this.lost ? lostError(error) : error;
    } finally {
      this.#runs--;
      this.#freeWhatWaits();
    }
    if (this.lost) throw lostError();
    return result;
  }

  call(number, handle, values, settle) {
    return this.#glue.call(number, handle, values, settle);
  }

  /** Frees an object, when no code of somebody else's runs in the middle of its methods any more. */
  free(handle) {
    this.#frees.push(handle);
    this.#freeWhatWaits();
  }

  #freeWhatWaits() {
    if (this.#depth > 0 || this.#runs > 0 || this.lost) return;
    for (const handle of this.#frees.splice(0)) this.#glue.free(handle);
  }

  guardImport(f) {
    return (...args) => {
      const result = f(...args);
      // If the instance was lost meanwhile, its frames below must not go on.
      if (this.lost) throw lostError();
      return result;
    };
  }

  guardExports(exports) {
    const guarded = {};
    for (const [name, value] of Object.entries(exports)) {
      guarded[name] = typeof value === "function" ? this.#guardExport(value) : value;
    }
    return guarded;
  }

  #guardExport(f) {
    return (...args) => {
      // A timer, a promise or the garbage collector, of an instance that is gone.
      if (this.lost) return [];
      this.#depth++;
      try {
        return f(...args);
      } catch (error) {
        // Errors are returned. What is thrown has torn through the frames of the WebAssembly.
        this.#lose(error);
        if (this.#runs > 0) throw error;
        return [];
      } finally {
        this.#depth--;
        this.#freeWhatWaits();
      }
    };
  }

  #lose(cause) {
    if (this.lost) return;
    // Assignments need no stack, which may be what is missing.
    this.lost = true;
    this.#cause = cause;
    this.#nextAiling = ailing;
    ailing = this;
    if (current === this) current = undefined;
    try {
      this.end();
    } catch {
      // The next call comes back to it.
    }
  }

  /** Wipes the memory of a lost instance, as no destructor will, and tells who waits for it. */
  end() {
    new Uint8Array(this.#glue.memory().buffer).fill(0);
    for (const listener of this.#lossListeners) {
      this.#lossListeners.delete(listener);
      listener(this.#cause);
    }
    if (ailing === this) ailing = this.#nextAiling;
    ailing?.end();
  }
}

const publicClasses = new Map();

/** A class of the package, with the names of its static methods. */
export function publicClass(name, statics = []) {
  const Public = class {
    constructor() {
      throw invalidArgument(`A ${name} is not made with \`new\`.`);
    }
  };
  define(Public, "name", { value: name });
  for (const method of statics) Public[method] = publicFunction(`${name}.${method}`);
  publicClasses.set(name, Public);
  return Public;
}

/** A function of the package. */
export const publicFunction = (name) => (...args) => running().functions[name](...args);

/** A function of the package whose errors are all rejections. */
export const publicPromiseFunction = (name) => async (...args) => running().functions[name](...args);
