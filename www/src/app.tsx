import { createGridkey, type Gridkey, type SessionState, type WalletSession } from "gridkey";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Notice } from "./action.tsx";
import type { Config } from "./config.ts";
import { Developer, type KeyDelivery } from "./developer.tsx";
import { useFocus } from "./focus.ts";
import { useLog } from "./log.ts";
import { PageContext } from "./page.ts";
import type { Arrival } from "./provider.ts";
import { SignIn } from "./sign-in.tsx";
import { Wallet } from "./wallet.tsx";

const SESSION_ENDED: Notice = { tone: "bad", text: "Your session has ended. Sign in again to go on." };
const SIGNED_OUT: Notice = { tone: "good", text: "You are signed out." };
const SIGNED_OUT_HERE: Notice = {
  tone: "bad",
  text: "You are signed out on this device. The server could not be told; there, the session ends by itself within minutes.",
};

interface Visit {
  session?: WalletSession;
  /** Why the last session ended. */
  farewell?: Notice;
}

interface AppProps {
  config: Config;
  /** How the page was come back to from an identity provider. */
  arrival: Arrival | undefined;
}

export function App({ config, arrival }: AppProps) {
  const log = useLog();
  const [delivery, setDelivery] = useState(deliveryOfAddress);
  const gridkey = useMemo(
    () =>
      createGridkey({
        baseUrl: "/api/grid",
        sessionKeys: delivery,
        enclave: config.enclave,
        organizations: config.organizationId === undefined ? {} : { [config.accountId]: config.organizationId },
        onRequest: log.observer(),
      }),
    [delivery],
  );
  useEffect(() => () => gridkey.free(), [gridkey]);
  const state = useSessionState(gridkey);
  const [{ session, farewell }, setVisit] = useState<Visit>({});
  // Dealt with once: who sees the sign-in again later did not come from the provider.
  const arrivalOnce = useRef(arrival);
  useEffect(() => void (arrivalOnce.current = undefined), []);
  const page = useMemo(() => ({ config, gridkey, log }), [config, gridkey, log]);

  const facts = session && state.status === "signedIn" ? state.session : undefined;
  useFocus(facts ? "wallet-heading" : "sign-in-heading");

  const leave = (ended: WalletSession, notice: Notice) => {
    // Somebody may have signed in again meanwhile.
    setVisit((visit) => (visit.session === ended ? { farewell: notice } : visit));
    void end(ended);
  };
  /** Goes on with a session by another way to sign in. */
  const changeSession = async (next: WalletSession) => {
    setVisit({ session: next });
    if (session) await end(session);
  };
  const changeDelivery = (next: KeyDelivery) => {
    if (session) leave(session, SIGNED_OUT);
    keepInAddress(next);
    setDelivery(next);
  };

  useEffect(() => {
    if (session && state.status === "signedOut" && state.reason !== "signedOut") leave(session, SESSION_ENDED);
  }, [state]);

  return (
    <PageContext.Provider value={page}>
      <header>
        <p class="brand"><img src="/icon.svg" alt="" /> gridkey wallet</p>
        {config.sandbox && <p class="badge">Sandbox: no real money</p>}
      </header>
      <main>
        {facts && session
          ? (
            <Wallet
              session={session}
              facts={facts}
              onSession={changeSession}
              signInAgain={(text) => leave(session, { tone: "bad", text })}
              onSignedOut={(revokedAtGrid) => leave(session, revokedAtGrid ? SIGNED_OUT : SIGNED_OUT_HERE)}
            />
          )
          : <SignIn key={delivery} farewell={farewell} arrival={arrivalOnce.current} onSignedIn={(session) => setVisit({ session })} />}
      </main>
      <Developer delivery={delivery} onDelivery={changeDelivery} session={facts} log={log} />
    </PageContext.Provider>
  );
}

/** Whether it was signed out before, has expired, was lost, or is to end now. */
async function end(session: WalletSession): Promise<void> {
  try {
    await session.signOut();
  } catch {
    // Then there is nothing left to end.
  } finally {
    session.free();
  }
}

function useSessionState(gridkey: Gridkey): SessionState {
  const [, rerender] = useState<SessionState>();
  useEffect(() => gridkey.subscribe(() => rerender(gridkey.state)), [gridkey]);
  return gridkey.state;
}

const PARAMETER = "session-keys";

function deliveryOfAddress(): KeyDelivery {
  return new URLSearchParams(location.search).get(PARAMETER) === "client-held" ? "client-held" : "sealed";
}

function keepInAddress(delivery: KeyDelivery): void {
  const address = new URL(location.href);
  address.searchParams.set(PARAMETER, delivery);
  history.replaceState(null, "", address);
}
