import { useEffect, useRef, useState, type ReactNode } from "react";
import { trouble, type Trouble } from "./words.ts";

const SLOW_AFTER_MS = 4_000;

/** Something that a person starts, one at a time: whether it runs, and what came of it. */
export function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<Trouble>();
  const running = useRef<AbortController>(undefined);

  // Whoever leaves the view no longer waits for it.
  useEffect(() => () => running.current?.abort(), []);

  async function run(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setBusy(true);
    setFailed(undefined);
    const failure = await task(controller.signal).then(() => undefined, trouble);
    // Another one has begun meanwhile, and says what became of it.
    if (running.current !== controller) return;
    running.current = undefined;
    setBusy(false);
    setFailed(failure);
  }

  return { busy, failed, run, cancel: () => running.current?.abort() };
}

export type Attempt = ReturnType<typeof useAttempt>;

/** Whole seconds until `time`, counting down; 0 once it has passed. */
export function useSecondsUntil(time: number): number {
  const left = () => Math.max(0, Math.ceil((time - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    // A timer of a tab that slept fires late, so the clock is asked each time.
    const timer = setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(timer);
  }, [time]);
  return seconds;
}

function useSlow(busy: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!busy) return setSlow(false);
    const timer = setTimeout(() => setSlow(true), SLOW_AFTER_MS);
    return () => clearTimeout(timer);
  }, [busy]);
  return slow;
}

interface OutcomeProps {
  attempt: Attempt;
  busyText: string;
}

/** Both lines are always there, so that screen readers say what changes in them. */
export function Outcome({ attempt: { busy, failed }, busyText }: OutcomeProps) {
  const slow = useSlow(busy);
  return (
    <>
      <p role="status">{busy && (slow ? `${busyText} Your connection is slow.` : busyText)}</p>
      <p role="alert">{failed?.text}</p>
    </>
  );
}

interface ButtonProps extends OutcomeProps {
  /** Without it the button submits its form. */
  onPress?: () => void;
  autoFocus?: boolean;
  children: ReactNode;
}

/** A button, what became of it, and a way out while it runs. */
export function AttemptButton({ attempt, busyText, onPress, autoFocus, children }: ButtonProps) {
  const wait = useSecondsUntil(attempt.failed?.retryAt ?? 0);
  const button = useRef<HTMLButtonElement>(null);
  const idle = !attempt.busy && wait === 0;
  const stop = () => {
    attempt.cancel();
    button.current?.focus();
  };
  return (
    <>
      {/* aria-disabled and not disabled: a disabled button would lose the focus. */}
      <button
        ref={button}
        type={onPress ? "button" : "submit"}
        autoFocus={autoFocus}
        aria-disabled={!idle}
        onClick={(event) => (idle ? onPress?.() : event.preventDefault())}
      >
        {children}
      </button>
      {attempt.busy && <button type="button" className="plain" onClick={stop}>Cancel</button>}
      <Outcome attempt={attempt} busyText={busyText} />
      {wait > 0 && <p className="quiet">You can try again in {wait} s.</p>}
    </>
  );
}

/** As `ref`: where reading goes on when the view changes. */
export const focused = (element: HTMLElement | null) => element?.focus();
