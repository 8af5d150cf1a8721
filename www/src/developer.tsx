import { useEffect, useRef, useState } from "preact/hooks";
import { Lies } from "./lies.tsx";
import type { Entry, Log } from "./log.ts";
import { usePage } from "./page.ts";
import type { SignedIn } from "./wallet.tsx";

export type KeyDelivery = "sealed" | "client-held";

interface DeveloperProps {
  delivery: KeyDelivery;
  onDelivery: (delivery: KeyDelivery) => void;
  session: SignedIn | undefined;
  log: Log;
}

/** What a developer wants to see of it. Nothing here is needed to use the page. */
export function Developer({ delivery, onDelivery, session, log }: DeveloperProps) {
  const { config } = usePage();
  return (
    <aside aria-labelledby="developer-heading">
      <h2 id="developer-heading">For developers</h2>
      <KeyDeliverySwitch delivery={delivery} onDelivery={onDelivery} signedIn={session !== undefined} />
      {config.sandbox && <Lies log={log} />}
      {session && <SessionFacts session={session} />}
      <Requests log={log} />
    </aside>
  );
}

const DELIVERIES: readonly { value: KeyDelivery; name: string; text: string }[] = [
  { value: "sealed", name: "Sealed", text: "Grid makes the session key and seals it to this browser, which opens it." },
  { value: "client-held", name: "Client-held", text: "This browser makes the session key, and it never leaves." },
];

function KeyDeliverySwitch({ delivery, onDelivery, signedIn }: Pick<DeveloperProps, "delivery" | "onDelivery"> & { signedIn: boolean }) {
  return (
    <fieldset class="panel">
      <legend>Session keys</legend>
      {DELIVERIES.map(({ value, name, text }) => (
        <label key={value} class="choice">
          <input type="radio" name="delivery" value={value} checked={delivery === value} onChange={() => onDelivery(value)} />
          <span><strong>{name}</strong> <span class="quiet">{text}</span></span>
        </label>
      ))}
      {signedIn && <p class="quiet">Changing this signs you out.</p>}
    </fieldset>
  );
}

function SessionFacts({ session }: { session: SignedIn }) {
  return (
    <section class="panel" aria-labelledby="facts-heading">
      <h3 id="facts-heading">Session in detail</h3>
      <dl class="facts">
        <dt>id</dt><dd><code>{session.id}</code></dd>
        <dt>publicKey</dt><dd><code>{session.publicKey}</code></dd>
        <dt>expiresAt</dt><dd><code>{session.expiresAt.toISOString()}</code></dd>
      </dl>
    </section>
  );
}

function Requests({ log }: { log: Log }) {
  const [open, setOpen] = useState(true);
  return (
    <section class="panel requests" aria-labelledby="requests-heading">
      <h3 id="requests-heading">
        <button type="button" class="disclosure" aria-expanded={open} aria-controls="requests" onClick={() => setOpen(!open)}>
          Requests <span class="quiet">{log.entries.length}</span>
        </button>
      </h3>
      <div id="requests" hidden={!open}>
        <p class="quiet">As they happen, without secrets. Open one to see its members.</p>
        <Entries entries={log.entries} />
        <button type="button" onClick={log.clear}>Clear</button>
      </div>
    </section>
  );
}

function Entries({ entries }: Pick<Log, "entries">) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [entries.length]);
  return <ol ref={list}>{entries.map((entry) => <EntryRow key={entry.key} entry={entry} />)}</ol>;
}

/** Brings what was opened into the part of the list that is in sight. */
function show({ currentTarget }: { currentTarget: HTMLDetailsElement }) {
  if (currentTarget.open) currentTarget.scrollIntoView({ block: "nearest" });
}

function EntryRow({ entry }: { entry: Entry }) {
  if (entry.kind === "error") {
    return (
      <li>
        <details class="entry" onToggle={show}>
          <summary><span class="mark bad">error</span><span class="what"><code>{entry.name}</code></span></summary>
          <Members title="GridkeyError" members={entry.facts} />
        </details>
      </li>
    );
  }
  const { sent, ended } = entry;
  const ok = ended?.status !== undefined && ended.status < 400;
  return (
    <li>
      <details class="entry" onToggle={show}>
        <summary>
          <span class={`mark ${ended === undefined ? "pending" : ok ? "good" : "bad"}`}>
            {ended === undefined ? "…" : (ended.status ?? ended.code ?? "failed")}
          </span>
          <span class="what">
            <code>{sent.operation}</code>{" "}
            <span class="quiet">
              {sent.leg === 2 && "leg 2, "}
              {sent.signed ? "signed" : "unsigned"}
              {ended && `, ${Math.round(ended.durationMs)} ms`}
            </span>
          </span>
        </summary>
        <p><code>{sent.method} {sent.path}</code></p>
        {sent.body && <Members title="Sent" members={sent.body} />}
        {ended?.body && <Members title="Received" members={ended.body} />}
      </details>
    </li>
  );
}

function Members({ title, members }: { title: string; members: Readonly<Record<string, unknown>> }) {
  return (
    <>
      <h4>{title}</h4>
      <pre>{JSON.stringify(members, null, 2)}</pre>
    </>
  );
}
