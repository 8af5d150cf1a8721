// Cases that run in Node and in a page alike, and what they assert with.

import { begun, gridkey, inspect } from "./subject.mjs";

const all = new Map();

/** A case; its name tells what holds. */
export function testCase(name, body) {
  if (all.has(name)) throw new Error(`there are two cases of the name ${name}`);
  all.set(name, body);
}

export const names = () => [...all.keys()];

/** What was counted, for the report. */
const counts = {};
export const count = (what, number = 1) => (counts[what] = (counts[what] ?? 0) + number);

/** Runs a case: nothing where it holds, and what is wrong otherwise. */
export async function run(name) {
  try {
    await all.get(name)();
    return undefined;
  } catch (error) {
    return error?.stack ?? String(error);
  }
}
export const counted = () => ({ ...counts });

export function ok(holds, what) {
  if (!holds) throw new Error(typeof what === "function" ? what() : what);
}

export function same(found, wanted, what = "") {
  const [is, should] = [found, wanted].map((value) => JSON.stringify(value));
  ok(is === should, `${what}: ${is}, and not ${should}`);
}

/** What a call came to: `{ value }` or `{ error }`. */
export async function outcome(call) {
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}

/** The error of a call, which must be one of the package's with one of these codes. */
export async function refused(codes, call, what = "") {
  const { error, value } = await outcome(call);
  ok(error !== undefined, () => `${what}: no error, but ${typeof value}`);
  ok(gridkey.isGridkeyError(error), () => `${what}: ${inspect(error)}`);
  ok([codes].flat().includes(error.code), () => `${what}: ${error.code} (${error.message}), and not ${codes}`);
  return error;
}

/** Runs what may not stop the WebAssembly. */
export async function untrapped(what, call) {
  const before = begun.number;
  const result = await call();
  gridkey.SessionKey.generate().free();
  ok(begun.number === before, `${what}: the WebAssembly stopped`);
  return result;
}
