// What a page may give where something else is wanted. Each is made anew.

import { inPage } from "./subject.mjs";

const thrower = () => {
  throw new Error("broken by the page");
};
const traps = Object.fromEntries(
  ["apply", "construct", "defineProperty", "deleteProperty", "get", "getOwnPropertyDescriptor", "getPrototypeOf", "has", "isExtensible", "ownKeys", "preventExtensions", "set", "setPrototypeOf"].map((trap) => [trap, thrower]),
);
const revoked = (target) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

/** Another value at every look, all names there are, and all of them its own. */
const chameleon = () => {
  let looks = 0;
  const values = ["a@b.example", {}, -1, undefined, "\ud800", () => {}];
  return new Proxy(
    {},
    {
      get: () => values[looks++ % values.length],
      getOwnPropertyDescriptor: () => ({ value: values[looks++ % values.length], configurable: true, enumerable: true }),
      ownKeys: () => [`name${looks++}`, "kind"],
      has: () => true,
    },
  );
};

/** Short when it is compared, and long when it is walked. */
const lengthless = () => {
  let looks = 0;
  const length = { valueOf: () => (looks++ ? 1e9 : 0) };
  return new Proxy([], { get: (array, name) => (name === "length" ? length : "x") });
};

/** An array that is longer each time it is looked at. */
const growing = () => {
  let length = 0;
  return new Proxy([], {
    get: (array, name) => (name === "length" ? (length += 100) : name in array ? Reflect.get(array, name) : { id: "AdKX" }),
  });
};

function detached() {
  const bytes = new Uint8Array(32);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

function deep(depth) {
  let value = 1;
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { a: value };
  return value;
}

function cyclic() {
  const value = { a: [] };
  value.a.push(value);
  return value;
}

export const VALUES = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  0: () => 0,
  "-0": () => -0,
  NaN: () => NaN,
  Infinity: () => Infinity,
  "-1": () => -1,
  "a fraction": () => 1.5,
  "2^53": () => 2 ** 53,
  "2^32": () => 2 ** 32,
  "a number as text": () => "5000",
  bigint: () => 1n,
  symbol: () => Symbol("x"),
  "an empty text": () => "",
  "a lone surrogate first": () => "\ud800abc",
  "a lone surrogate between": () => "ab\udc00cd",
  "a lone surrogate last": () => "abc\ud83d",
  "surrogates the wrong way round": () => "\ude00\ud83d",
  "U+0000": () => "\u0000",
  "a BOM": () => "\ufeff{}",
  "an override": () => "\u202eabc",
  constructor: () => "constructor",
  __proto__1: () => "__proto__",
  "brackets without an end": () => "[".repeat(60_000),
  "70 Ki characters": () => "x".repeat(70 * 1024),
  "a String": () => Object("text"),
  "an object with toString": () => ({ toString: () => "text", valueOf: () => 5, [Symbol.toPrimitive]: () => "text" }),
  "an object whose toString throws": () => ({ toString: thrower, valueOf: thrower, [Symbol.toPrimitive]: thrower }),
  "an object with toJSON": () => ({ toJSON: () => "text" }),
  function: () => () => {},
  "a function that throws": () => thrower,
  "a function that never settles": () => () => new Promise(() => {}),
  "a class": () => class {},
  "a revoked function": () => revoked(() => {}),
  "an array": () => [],
  "an array of itself": () => {
    const array = [];
    array.push(array);
    return array;
  },
  holes: () => new Array(5),
  "2^32 - 1 holes": () => new Array(2 ** 32 - 1),
  "an array that grows": growing,
  "an array whose length is no number": lengthless,
  "an object": () => ({}),
  "an object without a prototype": () => Object.create(null),
  "an object that has it all from its prototype": () => Object.create({ accountId: "a", authMethodId: "a", kind: "setEmail", email: "a", challenge: "a" }),
  "own __proto__": () => JSON.parse('{"__proto__":{"kind":"setEmail"},"constructor":1}'),
  "a circle": cyclic,
  "17 levels": () => deep(17),
  "10,000 levels": () => deep(10_000),
  "a getter that throws": () => Object.defineProperty({}, "kind", { get: thrower, enumerable: true }),
  "all getters throw": () => new Proxy({}, traps),
  "a revoked object": () => revoked({}),
  "a revoked array": () => revoked([]),
  "another at every look": chameleon,
  thenable: () => ({ then: (resolve) => resolve("x") }),
  "a thenable that throws": () => ({ get then() { return thrower(); } }),
  "a promise": () => Promise.resolve({}),
  "an invalid Date": () => new Date(NaN),
  "a Date": () => new Date(8.64e15),
  "a Map": () => new Map([["kind", "setEmail"]]),
  "a regular expression": () => /x/,
  "an error": () => new Error("x"),
  "a module": () => globalThis.WebAssembly,
  "the global object": () => globalThis,
  "no bytes": () => new Uint8Array(0),
  "detached bytes": detached,
  "a DataView": () => new DataView(new ArrayBuffer(32)),
  "a buffer": () => new ArrayBuffer(32),
  "bytes that are no bytes": () => new Float64Array(32),
  "big numbers": () => new BigUint64Array(32),
  "a resizable buffer's bytes": () => {
    const buffer = new ArrayBuffer(32, { maxByteLength: 64 });
    const bytes = new Uint8Array(buffer);
    buffer.resize?.(8);
    return bytes;
  },
  "shared bytes": () => (globalThis.SharedArrayBuffer ? new Uint8Array(new SharedArrayBuffer(32)) : undefined),
  "a signal that is aborted": () => AbortSignal.abort(),
  "a signal aborted by undefined": () => AbortSignal.abort(null),
  "a signal that lies": () => ({ get aborted() { return thrower(); }, addEventListener: thrower, removeEventListener: thrower }),
  "a signal that is aborted at the second look": () => {
    let looks = 0;
    return { get aborted() { return looks++ > 0; }, addEventListener() {}, removeEventListener() {}, reason: revoked({}) };
  },
  "a signal that calls back at once": () => ({ aborted: false, addEventListener: (_, listener) => listener({ type: "abort" }), removeEventListener: thrower }),
  ...(inPage && {
    "document.all": () => document.all,
    "an element": () => document.createElement("form"),
    "another frame's object": () => frame().eval("({})"),
    "another frame's bytes": () => frame().eval("new Uint8Array(32).fill(7)"),
    "a closed frame's window": () => {
      const element = document.body.appendChild(document.createElement("iframe"));
      const { contentWindow } = element;
      element.remove();
      return contentWindow;
    },
  }),
};

let made;
const frame = () => (made ??= document.body.appendChild(document.createElement("iframe"))).contentWindow;

/** What somebody's function may do, as `[name, function]`; `Infinity` in place of a promise never settles. */
export const BEHAVIOURS = {
  "throws an error": thrower,
  "throws undefined": () => {
    throw undefined;
  },
  "throws null": () => {
    throw null;
  },
  "throws a number": () => {
    throw 42;
  },
  "throws a symbol": () => {
    throw Symbol("x");
  },
  "throws what is revoked": () => {
    throw revoked({});
  },
  "throws what throws": () => {
    throw new Proxy({}, traps);
  },
  "rejects with nothing": () => Promise.reject(),
  "rejects with what is revoked": () => Promise.reject(revoked({})),
  "never settles": () => new Promise(() => {}),
  "gives a thenable that never settles": () => ({ then() {} }),
  "gives a thenable that throws": () => ({ then: thrower }),
  "gives a thenable that cannot be read": () => ({ get then() { return thrower(); } }),
  "gives a thenable that settles twice": () => ({
    then(resolve, reject) {
      resolve(5);
      reject(new Error("again"));
      resolve(6);
      throw new Error("and again");
    },
  }),
  "settles late": () => new Promise((resolve) => setTimeout(resolve, 150, {})),
  ...Object.fromEntries(Object.entries(VALUES).map(([name, value]) => [`gives ${name}`, () => value()])),
};
