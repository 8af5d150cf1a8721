import type { AuthSession } from "gridkey";
import { useEffect, useState } from "preact/hooks";
import { ActionButton, Status, useAction } from "./action.tsx";
import { METHOD_NAMES } from "./methods.tsx";
import { usePage } from "./page.ts";
import { minute } from "./time.ts";
import type { CardProps } from "./wallet.tsx";

interface SessionsProps extends CardProps {
  shown: boolean;
  /** The session of this page. */
  currentId: string;
  /** Counts the sessions of this page that another one took the place of. */
  changes: number;
}

export function SessionsCard({ session, shown, currentId, changes, signInAgain }: SessionsProps) {
  const { config, gridkey } = usePage();
  const load = useAction({ signInAgain });
  const [sessions, setSessions] = useState<readonly AuthSession[]>();

  const loadSessions = () =>
    load.run(async () => setSessions((await gridkey.api.listAuthSessions({ accountId: config.accountId })).sessions));
  useEffect(() => void (shown && loadSessions()), [shown, currentId, changes]);

  const ended = (id: string) => {
    setSessions((known) => known?.filter((session) => session.id !== id));
    load.say({ tone: "good", text: "That session was ended. Its key is of no use any more." });
    document.getElementById("sessions-heading")?.focus();
  };

  return (
    <section class="card" aria-labelledby="sessions-heading">
      <h2 id="sessions-heading" tabIndex={-1}>Where you are signed in</h2>
      <ul class="items" aria-busy={load.busy}>
        {sessions?.map(({ id, type, nickname, createdAt }) => (
          <SessionItem
            key={id}
            session={session}
            signInAgain={signInAgain}
            id={id}
            name={`${METHOD_NAMES[type]} ${nickname}`}
            since={minute(new Date(createdAt))}
            isCurrent={id === currentId}
            onEnded={() => ended(id)}
          />
        ))}
      </ul>
      <Status notice={load.notice} />
      <ActionButton action={load} onPress={loadSessions} busyText="Looking…">Look again</ActionButton>
    </section>
  );
}

interface SessionItemProps extends CardProps {
  id: string;
  name: string;
  since: string;
  isCurrent: boolean;
  onEnded: () => void;
}

function SessionItem({ session, id, name, since, isCurrent, signInAgain, onEnded }: SessionItemProps) {
  const end = useAction({ signInAgain });
  const press = () =>
    end.run(async () => {
      await session.revokeSession(id);
      onEnded();
    });
  return (
    <li>
      <div class="item">
        <strong>{name}</strong>
        <span class="quiet">since {since}{isCurrent && " · this page"}</span>
      </div>
      {!isCurrent && (
        <ActionButton action={end} onPress={press} busyText="Ending…" label={`End ${name}, since ${since}`}>End</ActionButton>
      )}
      <Status notice={end.notice} />
    </li>
  );
}
