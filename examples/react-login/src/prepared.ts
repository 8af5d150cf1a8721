import { isGridkeyError } from "gridkey";
import { useEffect, useRef } from "react";

/**
 * What a passkey prompt needs of the network. Browsers show prompts only inside a tap, so it is
 * fetched `ahead` of it; what is not fetched, or failed, is fetched with the tap after all.
 */
export function usePrepared<T extends { free(): void }>(prepare: (signal: AbortSignal) => Promise<T>, ahead: boolean) {
  const ready = useRef<Promise<T>>(undefined);

  const start = (signal: AbortSignal) => {
    const preparing = prepare(signal);
    ready.current = preparing;
    // The tap tries again, and says what is wrong.
    preparing.catch(() => ready.current === preparing && (ready.current = undefined));
    return preparing;
  };

  useEffect(() => {
    const left = new AbortController();
    if (ahead) void start(left.signal);
    return () => {
      left.abort();
      void ready.current?.then((prepared) => prepared.free(), () => undefined);
      ready.current = undefined;
    };
  }, [ahead]);

  return async <R>(signal: AbortSignal, use: (prepared: T) => Promise<R>): Promise<R> => {
    try {
      return await use(await (ready.current ?? start(signal)));
    } catch (error) {
      // It was lost with the WebAssembly.
      if (isGridkeyError(error) && error.code === "instance_lost") ready.current = undefined;
      throw error;
    }
  };
}
