import { useEffect, useState } from "preact/hooks";

/** Whole seconds until `time` (milliseconds since 1970), counting down while it is shown; 0 once it has passed. */
export function useSecondsUntil(time: number): number {
  const seconds = () => Math.max(0, Math.ceil((time - Date.now()) / 1000));
  const [, tick] = useState(0);
  const left = seconds();
  useEffect(() => {
    if (left === 0) return;
    // A timer of a sleeping tab fires late, so each tick reads the clock anew.
    const timer = setInterval(() => tick(seconds()), 250);
    return () => clearInterval(timer);
  }, [time, left === 0]);
  return left;
}

/** 754 → "12:34" */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** For the eyes of people, in their own language. */
export function day(date: Date): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(date);
}
