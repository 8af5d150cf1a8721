// One running instance of the WebAssembly, and what happens when it stops.
//
// A trap leaves an instance with half-done work in it: borrows that are never given back, a stack
// that is never unwound. It must not be used again. So it is wiped, whatever waits for it fails
// with `instance_lost`, and a fresh one takes its place. For that the glue is a function (`cargo
// xtask build` makes it one): each instance has glue, classes and closures of its own, and nothing
// of an old one can reach into a new one.

import { createGlue } from "./wasm/glue.js";
import { GridkeyError, instanceLost, invalidArgument, usedAfterFree, wasmUnavailable } from "./errors.js";

const LOST = "The WebAssembly stopped, and a fresh instance has taken its place. What was made before is gone: start again.";

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
    current = begin(await WebAssembly.instantiate(module, imports));
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

const isClass = (name) => /^[A-Z]/.test(name);

function prepare() {
  const glue = createGlue();
  const instance = new Instance(glue);
  const functions = {};
  for (const [name, value] of Object.entries(glue)) {
    if (isClass(name)) instance.guardClass(name, value);
    else functions[name] = instance.guardImport(value);
  }
  return {
    imports: { "./gridkey_bg.js": functions },
    begin({ exports }) {
      glue.__wbg_set_wasm(instance.guardExports(exports));
      exports.__wbindgen_start();
      glue.installErrorClass(GridkeyError);
      if (instance.lost) throw instanceLost(LOST);
      return instance;
    },
  };
}

/** Which instance an object of one of its classes belongs to. */
const owners = new WeakMap();

/** Whether `value` is an object of this class, of whatever instance: one that is lost says so when it is used. */
export const isObjectOf = (className, value) => owners.has(value) && value instanceof publicClasses.get(className).Public;

class Instance {
  lost = false;
  #exports;
  /** How many calls into the WebAssembly are going on, one inside the other. */
  #depth = 0;
  /** How many of them somebody made by `call`, and would catch what they throw. */
  #calls = 0;
  /** What to free when none is going on any more. */
  #frees = [];
  #lossListeners = new Set();
  #cause;
  #nextAiling;

  constructor(glue) {
    this.glue = glue;
  }

  /** Calls `listener` when this instance is lost. Returns what ends that. */
  whenLost(listener) {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  /** Calls a function of the glue. `object`, its `this`, and `args` may be objects of the glue's classes. */
  call(method, object, args) {
    for (const value of [object, ...args]) this.#check(value);
    let result;
    this.#calls++;
    try {
      result = method.apply(object, args);
    } catch (error) {
      throw this.lost ? instanceLost(LOST, error) : error;
    } finally {
      this.#calls--;
    }
    if (this.lost) throw instanceLost(LOST);
    return result instanceof Promise ? this.#unlessLost(result) : result;
  }

  #check(value) {
    const owner = owners.get(value);
    if (!owner) return;
    if (owner.lost) throw instanceLost(LOST);
    if (!value.__wbg_ptr) throw usedAfterFree("This object was freed, or handed over to another one.");
  }

  /** The promise of a lost instance would never settle. */
  #unlessLost(promise) {
    return new Promise((resolve, reject) => {
      const settled = this.whenLost((cause) => reject(instanceLost(LOST, cause)));
      promise.then(resolve, reject).finally(settled);
    });
  }

  guardImport(f) {
    return (...args) => {
      const result = f(...args);
      // If the instance was lost meanwhile, its frames below must not go on.
      if (this.lost) throw instanceLost(LOST);
      return result;
    };
  }

  guardExports(exports) {
    this.#exports = exports;
    const guarded = {};
    for (const [name, value] of Object.entries(exports)) {
      guarded[name] = typeof value === "function" ? this.#guardExport(value, /^__wbg_.*_free$/.test(name)) : value;
    }
    return guarded;
  }

  #guardExport(f, frees) {
    return (...args) => {
      // A timer, a promise or the garbage collector, of an instance that is gone.
      if (this.lost) return [];
      // Freed by somebody's code that is called from here, while the object may be in use.
      if (frees && this.#depth > 0) return void this.#frees.push(() => f(...args));
      this.#depth++;
      try {
        return f(...args);
      } catch (error) {
        // Errors are returned. What is thrown has torn through the frames of the WebAssembly.
        this.#lose(error);
        if (this.#calls > 0) throw error;
        return [];
      } finally {
        this.#depth--;
        if (this.#depth === 0 && !this.lost) for (const free of this.#frees.splice(0)) free();
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
    new Uint8Array(this.#exports.memory.buffer).fill(0);
    for (const listener of this.#lossListeners) {
      this.#lossListeners.delete(listener);
      listener(this.#cause);
    }
    if (ailing === this) ailing = this.#nextAiling;
    ailing?.end();
  }

  /** Changes a class in place, because the glue makes objects of it. */
  guardClass(className, Class) {
    const instance = this;
    const { promises = [], Public } = publicClasses.get(className) ?? {};

    const { __wrap } = Class;
    Class.__wrap = (pointer) => {
      const object = __wrap(pointer);
      owners.set(object, instance);
      // `structuredClone` refuses what has a function: a handle is not data.
      object.toJSON = omit;
      return object;
    };

    const { prototype } = Class;
    const { free } = prototype;
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name === "constructor" || name === "free" || name.startsWith("__")) continue;
      const kind = property.get ? "get" : "value";
      const method = property[kind];
      const guarded = function (...args) {
        if (!(this instanceof Class && owners.has(this))) throw invalidArgument(`\`${name}\` was taken off its ${className}.`);
        return instance.call(method, this, args);
      };
      property[kind] = promises.includes(name) ? promising(guarded) : guarded;
      Object.defineProperty(prototype, name, property);
    }
    prototype.free = function () {
      if (!instance.lost && this.__wbg_ptr) free.call(this);
    };
    if (Symbol.dispose) prototype[Symbol.dispose] = prototype.free;
    if (Public) Object.setPrototypeOf(prototype, Public.prototype);
  }
}

function omit() {}

/** A method whose errors are all rejections. What it does, it still does at once. */
function promising(method) {
  return async function (...args) {
    return method.apply(this, args);
  };
}

const publicClasses = new Map();

/** A class of the package, with the names of its static methods and of those that give promises. */
export function publicClass(name, { statics = [], promises = [] }) {
  const Public = class {
    constructor() {
      throw invalidArgument(`A ${name} is not made with \`new\`.`);
    }
  };
  Object.defineProperty(Public, "name", { value: name });
  for (const method of statics) {
    Public[method] = (...args) => {
      const instance = running();
      const Class = instance.glue[name];
      return instance.call(Class[method], Class, args);
    };
  }
  publicClasses.set(name, { Public, promises });
  return Public;
}

/** A function of the package. */
export function publicFunction(name) {
  return (...args) => {
    const instance = running();
    return instance.call(instance.glue[name], undefined, args);
  };
}

/** A function of the package that gives a promise. */
export const publicPromiseFunction = (name) => promising(publicFunction(name));
