// Finds and compiles the WebAssembly, and says what to mend where that fails.

import { invalidArgument, wasmBlockedByCsp, wasmUnavailable } from "./errors.js";
import { startOnce } from "./instance.js";
import { BUILD } from "./wasm/build.js";

/** The smallest module. Where it does not start, none does. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Subresource Integrity's algorithms, and digests as long as they make them. */
const DIGEST = /^(sha256-[A-Za-z\d+/]{43}=|sha384-[A-Za-z\d+/]{64}|sha512-[A-Za-z\d+/]{86}==)$/;

/** What the WebAssembly that is loading, or loaded, was held against. */
let held;
/** What it was to be held against last: also by a load that names nothing, as a client's own after one that failed. */
let demanded;

/** Loads the WebAssembly from `source`, or from what `find` gives. The same promise until that fails. */
export function load(find, source, options) {
  let integrity;
  try {
    integrity = readIntegrity(options);
  } catch (error) {
    return Promise.reject(error);
  }
  demanded = integrity ?? demanded;
  const loading = startOnce(async () => {
    held = demanded;
    const module = checkBuild(await compile(source ?? (await find()), held && digestsOf(held)));
    await checkPolicy();
    return module;
  });
  if (integrity === undefined || integrity === held) return loading;
  return loading.then(() => {
    throw invalidArgument(
      "`integrity` comes too late: the WebAssembly was loaded before, and not held against it. Call init() with it before anything else.",
    );
  });
}

/** WebAssembly that may be used here, and secure randomness. */
export function isSupported() {
  try {
    new WebAssembly.Instance(new WebAssembly.Module(EMPTY));
    return typeof crypto.getRandomValues === "function";
  } catch {
    return false;
  }
}

function readIntegrity(options) {
  if (options === undefined) return undefined;
  if (options === null || typeof options !== "object") throw invalidArgument("init()'s `options` must be an object.");
  let integrity;
  let inherited = false;
  try {
    // Its own: nobody's addition to `Object.prototype` is one.
    if (Object.hasOwn(options, "integrity")) ({ integrity } = options);
    // Anything else that is inherited was meant, and would be passed over.
    else if ("integrity" in options && !("integrity" in Object.prototype)) inherited = true;
  } catch (error) {
    throw invalidArgument("init()'s `options` could not be read: it threw an exception.", error);
  }
  if (inherited) throw invalidArgument("`integrity` must be a property of init()'s `options` itself, not an inherited one.");
  if (integrity !== undefined) digestsOf(integrity);
  return integrity;
}

/** The digests of the strongest algorithm that is named: any of them will do, as in HTML. */
function digestsOf(integrity) {
  const digests = typeof integrity === "string" ? integrity.split(/[\t\n\f\r ]+/).filter(Boolean) : [];
  // HTML passes over what it does not know, and so over a slip of the pen. This must not.
  if (digests.length === 0 || !digests.every((digest) => DIGEST.test(digest))) {
    throw invalidArgument("`integrity` must be like that of HTML: sha256-, sha384- or sha512-, and the digest in base64.");
  }
  const [strongest] = digests.map((digest) => digest.slice(0, 6)).sort().reverse();
  return { algorithm: strongest.replace("sha", "SHA-"), digests: digests.filter((digest) => digest.startsWith(strongest)) };
}

async function compile(source, expected) {
  if (typeof WebAssembly !== "object") {
    throw wasmUnavailable("There is no WebAssembly here: this browser has none, or it is switched off.");
  }
  if (source instanceof WebAssembly.Module) {
    if (!expected) return source;
    throw invalidArgument("`integrity` cannot be checked of a Module: give the bytes, their address or a Response.");
  }
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return compileBytes(source, expected);
  return compileResponse(isResponse(source) ? source : await fetchModule(source), expected);
}

const isResponse = (source) => typeof Response === "function" && source instanceof Response;

async function fetchModule(source) {
  if (typeof fetch !== "function") {
    throw wasmUnavailable("There is no fetch here to get the WebAssembly with: give init() its bytes, or use `gridkey/inline`.");
  }
  try {
    return await fetch(source);
  } catch (error) {
    throw wasmUnavailable(
      "The WebAssembly could not be fetched: its address is wrong or out of reach, or the page's Content-Security-Policy lacks `connect-src` for it, or it is another site's that does not allow this one to read it.",
      error,
    );
  }
}

async function compileResponse(response, expected) {
  if (response.type === "opaque") {
    throw wasmUnavailable("The WebAssembly cannot be read: fetch it without `no-cors`, and let its server allow this site.");
  }
  if (!response.ok) {
    throw wasmUnavailable(
      `The WebAssembly is not at its address (HTTP ${response.status}): serve gridkey_bg.wasm there, or give the right address to init().`,
    );
  }
  if (response.bodyUsed) throw wasmUnavailable("This Response was read before: give init() a fresh one, or its clone().");
  const type = response.headers.get("Content-Type") ?? "";
  if (!expected && WebAssembly.compileStreaming && /^application\/wasm\b/i.test(type)) {
    const copy = response.clone();
    try {
      const module = await WebAssembly.compileStreaming(response);
      void copy.body?.cancel();
      return module;
    } catch {
      // The bytes tell what was wrong.
      response = copy;
    }
  }
  let bytes;
  try {
    bytes = await response.arrayBuffer();
  } catch (error) {
    throw wasmUnavailable("The WebAssembly was cut off on its way.", error);
  }
  return compileBytes(bytes, expected);
}

async function compileBytes(source, expected) {
  // A copy of them where they are looked at twice: nobody may change them in between.
  const view = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
  const bytes = expected ? new Uint8Array(view) : view;
  if (EMPTY.subarray(0, 4).some((byte, index) => bytes[index] !== byte)) {
    const start = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart();
    throw wasmUnavailable(
      start.startsWith("<")
        ? "An HTML page is served in place of the WebAssembly, as servers of single-page applications do for files that they lack: serve gridkey_bg.wasm, or give its address to init()."
        : "What is served in place of the WebAssembly is none: serve gridkey_bg.wasm as it came, as application/wasm.",
    );
  }
  if (expected) await checkIntegrity(bytes, expected);
  return explained(WebAssembly.compile(bytes));
}

/** Not by fetch's own `integrity`, whose failure is not to be told from a network's. */
async function checkIntegrity(bytes, { algorithm, digests }) {
  if (!globalThis.crypto?.subtle) {
    throw wasmUnavailable("`integrity` cannot be checked here: the page is not served over HTTPS, so it has no crypto.subtle.");
  }
  const digest = String.fromCharCode(...new Uint8Array(await crypto.subtle.digest(algorithm, bytes)));
  if (digests.some((expected) => expected.endsWith(`-${btoa(digest)}`))) return;
  throw wasmUnavailable(
    "The WebAssembly is not the one that `integrity` names: it was changed on its way, or is of another version. Serve gridkey_bg.wasm as it came, or name the digest of the one that is served.",
  );
}

/** Tells a page that forbids WebAssembly from a module that is broken; what engines say of it differs. */
async function explained(compiling) {
  try {
    return await compiling;
  } catch (error) {
    await checkPolicy(error);
    throw wasmUnavailable("The WebAssembly is broken: serve gridkey_bg.wasm as it came.", error);
  }
}

/** Fails where the page forbids WebAssembly. WebKit compiles it there too, and refuses to start it. */
async function checkPolicy(cause) {
  try {
    await WebAssembly.instantiate(await WebAssembly.compile(EMPTY));
  } catch (error) {
    throw wasmBlockedByCsp(
      "The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its `script-src`.",
      cause ?? error,
    );
  }
}

/** The build writes its name into the module too. An old file in a cache, or at a fixed address, has another one. */
function checkBuild(module) {
  const [section] = WebAssembly.Module.customSections(module, "gridkey");
  const build = section && new TextDecoder().decode(section);
  if (build === BUILD) return module;
  const found = build ? `it is of ${build}` : "it names no version";
  throw wasmUnavailable(
    `The WebAssembly is not of this version of gridkey, ${BUILD}: ${found}. Serve the file that came with this one, at an address that changes with it.`,
  );
}
