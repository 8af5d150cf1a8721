import type { OtpState } from "gridkey";

/** What is kept over a reload. None of it is secret: keys and sessions live in the page only. */
export const keep = {
  /** A code that is under way: reading the e-mail may cost a phone this page. */
  otp: item<OtpState>(() => sessionStorage, "otp"),
  /** The way that was used last. */
  lastMethod: item<string>(() => localStorage, "last-method"),
};

function item<T>(storage: () => Storage, name: string) {
  // Storage may be full or switched off; then nothing is kept.
  const attempt = <R,>(use: (storage: Storage) => R): R | undefined => {
    try {
      return use(storage());
    } catch {
      return undefined;
    }
  };
  return {
    read: () => attempt((storage) => JSON.parse(storage.getItem(name) ?? "null") as T | null) ?? undefined,
    write: (value: T) => attempt((storage) => storage.setItem(name, JSON.stringify(value))),
    clear: () => attempt((storage) => storage.removeItem(name)),
  };
}
