import { useEffect, useReducer } from "preact/hooks";

/** Whole seconds until `time` (milliseconds since 1970), counting down while it is shown; 0 once it has passed. */
export function useSecondsUntil(time: number): number {
  const [, rerender] = useReducer((count: number) => count + 1, 0);
  const shown = secondsUntil(time);
  useEffect(() => {
    if (shown === 0) return;
    // A timer of a sleeping tab fires late, so the clock is asked each time.
    const timer = setInterval(() => secondsUntil(time) !== shown && rerender(undefined), 250);
    return () => clearInterval(timer);
  }, [time, shown]);
  return shown;
}

function secondsUntil(time: number): number {
  return Math.max(0, Math.ceil((time - Date.now()) / 1000));
}

/** 754 → "12:34" */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** For the eyes of people, in their own language. */
export function day(date: Date): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(date);
}

/** As {@link day}, with the time. */
export function minute(date: Date): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(date);
}
