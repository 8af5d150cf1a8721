import type { OtpState } from "gridkey";
import type { Departure } from "./provider.ts";

/** What the page keeps over a reload. None of it is secret. */
export const kept = {
  /** The sign-in by code that waits for its code: reading the e-mail may cost a phone this page. */
  otp: item<OtpState>(() => sessionStorage, "gridkey-www.otp"),
  /** The sign-in that the page was left for. */
  departure: item<Departure>(() => sessionStorage, "gridkey-www.departure"),
  /** The passkey that this browser used last. */
  passkey: item<string>(() => localStorage, "gridkey-www.passkey"),
};

function item<T>(storage: () => Storage, name: string) {
  // Storage may be switched off; then nothing is kept.
  const attempt = <R>(use: (storage: Storage) => R): R | undefined => {
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
