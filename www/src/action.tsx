import { isGridkeyError, type GridkeyError, type GridkeyErrorCode } from "gridkey";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { sentence, type Special } from "./errors.ts";
import { usePage } from "./page.ts";
import { useSecondsUntil } from "./time.ts";

export interface Notice {
  readonly tone: "good" | "bad";
  readonly text: string;
  readonly code?: GridkeyErrorCode;
}

/** Something a person starts, one at a time: whether it runs, how it ended, and how long to wait before the next. */
export interface Action {
  readonly busy: boolean;
  /** Seconds until the server allows the next attempt. */
  readonly wait: number;
  readonly notice: Notice | undefined;
  /** Runs `task`, unless it has to wait. What it returns is said as good news; what it throws, as a sentence. */
  run(task: () => Promise<string | void>): Promise<void>;
  say(notice: Notice | undefined): void;
}

export interface ActionOptions {
  readonly special: Special;
  /** Where only signing in again helps: leads there, with this sentence. */
  readonly signInAgain: (text: string) => void;
}

export function useAction({ special, signInAgain }: Partial<ActionOptions> = {}): Action {
  const { log } = usePage();
  const [busy, setBusy] = useState(false);
  const [notice, say] = useState<Notice | undefined>();
  const [waitUntil, setWaitUntil] = useState(0);
  const wait = useSecondsUntil(waitUntil);
  const running = useRef(false);

  useEffect(() => {
    if (waitUntil === 0 || wait > 0) return;
    setWaitUntil(0);
    say({ tone: "good", text: "You can try again now." });
  }, [waitUntil, wait === 0]);

  async function run(task: () => Promise<string | void>): Promise<void> {
    if (running.current || Date.now() < waitUntil) return;
    running.current = true;
    setBusy(true);
    say(undefined);
    try {
      const text = await task();
      if (text !== undefined) say({ tone: "good", text });
    } catch (error) {
      log.error(error);
      const text = sentence(error, special);
      if (!isGridkeyError(error)) say({ tone: "bad", text });
      else if (signInAgain && isOver(error)) signInAgain(text);
      else say({ tone: "bad", text, code: error.code });
      if (isGridkeyError(error) && error.retryAfterMs !== undefined) setWaitUntil(Date.now() + error.retryAfterMs);
    } finally {
      running.current = false;
      setBusy(false);
    }
  }

  return { busy, wait, notice, run, say };
}

/** Whether the session, or the sign-in under way, cannot go on. */
function isOver(error: GridkeyError): boolean {
  return error.recovery === "sign_in" || error.code === "instance_lost";
}

/** Always in the document, so that assistive technology hears what changes in it. */
export function Status({ notice, id }: { notice: Notice | undefined; id?: string }) {
  return (
    <div class="status" role="status" id={id}>
      {notice && <p class={`notice ${notice.tone}`}>{notice.text}</p>}
    </div>
  );
}

interface ButtonProps {
  action: Action;
  look?: "primary" | "plain";
  onPress?: () => void;
  busyText?: string | undefined;
  /** What it is called where several look the same. It begins with what is to be seen. */
  label?: string;
  children: ComponentChildren;
}

/** A button of an action; without `onPress` it submits its form. It keeps the focus while it cannot be used. */
export function ActionButton({ action, look = "plain", onPress, busyText = "One moment…", label, children }: ButtonProps) {
  const idle = !action.busy && action.wait === 0;
  return (
    <button
      type={onPress ? "button" : "submit"}
      class={look}
      aria-disabled={!idle}
      aria-label={idle ? label : undefined}
      onClick={(event) => (idle ? onPress?.() : event.preventDefault())}
    >
      {action.busy ? busyText : action.wait > 0 ? `Try again in ${action.wait} s` : children}
    </button>
  );
}
