import { useEffect, useRef } from "preact/hooks";

/**
 * Has something ready before the tap that uses it. A passkey prompt may only open inside the tap
 * that asked for it, so whatever needs the network comes first.
 */
export class Preparation<T extends { free(): void }> {
  #key: string | undefined;
  #result: Promise<T> | undefined;

  constructor(readonly prepare: (key: string) => Promise<T>) {}

  /** Starts early. A failure is not reported: the tap tries again and then says what is wrong. */
  ahead(key: string): void {
    this.get(key).catch(() => undefined);
  }

  /** What is ready for `key`, or will be. */
  get(key: string): Promise<T> {
    if (this.#result !== undefined && this.#key === key) return this.#result;
    this.drop();
    const result = this.prepare(key);
    this.#key = key;
    this.#result = result;
    result.catch(() => {
      if (this.#result === result) this.#result = undefined;
    });
    return result;
  }

  /** Lets go of what is ready. */
  drop(): void {
    this.#result?.then((ready) => ready.free(), () => undefined);
    this.#result = undefined;
  }
}

/** A preparation that ends with the view. */
export function usePreparation<T extends { free(): void }>(prepare: (key: string) => Promise<T>): Preparation<T> {
  const preparation = useRef<Preparation<T> | undefined>(undefined);
  preparation.current ??= new Preparation(prepare);
  const { current } = preparation;
  useEffect(() => () => current.drop(), [current]);
  return current;
}
