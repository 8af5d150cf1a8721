import { isGridkeyError, type RequestEvent } from "gridkey";
import { useMemo, useReducer } from "preact/hooks";

type Sent = Extract<RequestEvent, { phase: "sent" }>;
type Ended = Extract<RequestEvent, { phase: "ended" }>;

/** One line of the developer panel: a request, answered or not yet, or an error that a person saw as a sentence. */
export type Entry =
  | { readonly kind: "request"; readonly key: string; readonly sent: Sent; readonly ended?: Ended }
  | { readonly kind: "error"; readonly key: string; readonly name: string; readonly facts: Readonly<Record<string, string>> };

export interface Log {
  readonly entries: readonly Entry[];
  /** Sees the requests of one client; each client counts its own. */
  observer(): (event: RequestEvent) => void;
  error(error: unknown): void;
  clear(): void;
}

const LONGEST = 200;

type Change = { key: string; event: RequestEvent } | { key: string; error: unknown } | "clear";

let count = 0;

function next(kind: string): string {
  count += 1;
  return `${kind}-${count}`;
}

export function useLog(): Log {
  const [entries, change] = useReducer(changed, []);
  const actions = useMemo(
    () => ({
      observer: () => {
        const client = next("client");
        return (event: RequestEvent) => change({ key: `${client}-request-${event.id}`, event });
      },
      error: (error: unknown) => change({ key: next("error"), error }),
      clear: () => change("clear"),
    }),
    [],
  );
  return useMemo(() => ({ entries, ...actions }), [entries]);
}

function changed(entries: readonly Entry[], change: Change): readonly Entry[] {
  if (change === "clear") return [];
  if ("error" in change) return append(entries, errorEntry(change.key, change.error));
  const { key, event } = change;
  if (event.phase === "sent") return append(entries, { kind: "request", key, sent: event });
  return entries.map((entry) => (entry.kind === "request" && entry.key === key ? { ...entry, ended: event } : entry));
}

function append(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  return [...entries, entry].slice(-LONGEST);
}

function errorEntry(key: string, error: unknown): Entry {
  if (!isGridkeyError(error)) return { kind: "error", key, name: "unexpected", facts: { message: String(error) } };
  const { code, message, recovery, operation, status, gridCode, reason, requestId, retryAfterMs } = error;
  const activityType = code === "intent_refused" ? error.details?.activityType : undefined;
  const facts = { message, recovery, operation, status, gridCode, reason, activityType, requestId, retryAfterMs };
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return { kind: "error", key, name: code, facts: Object.fromEntries(known.map(([name, value]) => [name, String(value)])) };
}
