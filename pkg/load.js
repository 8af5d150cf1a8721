// Finds and compiles the WebAssembly, and says what to mend where that fails.

import { wasmBlockedByCsp, wasmUnavailable } from "./errors.js";
import { startOnce } from "./instance.js";

/** The smallest module. Where it does not compile, none does. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Loads the WebAssembly from `source`, or from what `find` gives. The same promise until that fails. */
export function load(source, find) {
  return startOnce(async () => compile(source ?? (await find())));
}

/** WebAssembly that may be used here, and secure randomness. */
export function isSupported() {
  try {
    new WebAssembly.Module(EMPTY);
    return typeof crypto.getRandomValues === "function";
  } catch {
    return false;
  }
}

async function compile(source) {
  if (typeof WebAssembly !== "object") {
    throw wasmUnavailable("There is no WebAssembly here: this browser has none, or it is switched off.");
  }
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return compileBytes(source);
  return compileResponse(isResponse(source) ? source : await fetchModule(source));
}

const isResponse = (source) => typeof Response === "function" && source instanceof Response;

async function fetchModule(source) {
  try {
    return await fetch(source);
  } catch (error) {
    throw wasmUnavailable(
      "The WebAssembly could not be fetched: its address is wrong or out of reach, or the page's Content-Security-Policy lacks `connect-src` for it.",
      error,
    );
  }
}

async function compileResponse(response) {
  if (!response.ok) {
    throw wasmUnavailable(
      `The WebAssembly is not at its address (HTTP ${response.status}): serve gridkey_bg.wasm there, or give the right address to init().`,
    );
  }
  const type = response.headers.get("Content-Type") ?? "";
  if (WebAssembly.compileStreaming && /^application\/wasm\b/i.test(type)) {
    return explained(WebAssembly.compileStreaming(response));
  }
  let bytes;
  try {
    bytes = await response.arrayBuffer();
  } catch (error) {
    throw wasmUnavailable("The WebAssembly was cut off on its way.", error);
  }
  return compileBytes(bytes);
}

function compileBytes(source) {
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
  if (EMPTY.subarray(0, 4).some((byte, index) => bytes[index] !== byte)) {
    const start = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart();
    throw wasmUnavailable(
      start.startsWith("<")
        ? "An HTML page is served in place of the WebAssembly, as servers of single-page applications do for files that they lack: serve gridkey_bg.wasm, or give its address to init()."
        : "What is served in place of the WebAssembly is none: serve gridkey_bg.wasm as it came, as application/wasm.",
    );
  }
  return explained(WebAssembly.compile(bytes));
}

/** Tells a page that forbids WebAssembly from a module that is broken; what engines say of it differs. */
async function explained(compiling) {
  try {
    return await compiling;
  } catch (error) {
    try {
      await WebAssembly.compile(EMPTY);
    } catch {
      throw wasmBlockedByCsp(
        "The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its `script-src`.",
        error,
      );
    }
    throw wasmUnavailable("The WebAssembly is broken: serve gridkey_bg.wasm as it came.", error);
  }
}
