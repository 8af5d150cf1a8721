import type { Gridkey, WalletSession } from "gridkey";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { keep } from "./keep.ts";
import { SignIn } from "./sign-in.tsx";
import { Wallet } from "./wallet.tsx";

interface AppProps {
  gridkey: Gridkey;
  accountId: string;
}

export function App({ gridkey, accountId }: AppProps) {
  const subscribe = useCallback((listener: () => void) => gridkey.subscribe(listener), [gridkey]);
  const state = useSyncExternalStore(subscribe, () => gridkey.state);
  const [session, setSession] = useState<WalletSession>();
  const [farewell, setFarewell] = useState("");

  const signedIn = (opened: WalletSession) => {
    if (opened.authMethodId !== undefined) keep.lastMethod.write(opened.authMethodId);
    setSession(opened);
  };

  // However it ended: signed out, run out, or lost with the WebAssembly. Then nothing of it can be read any more.
  useEffect(() => {
    if (state.status === "signedIn" || !session) return;
    setFarewell(FAREWELLS[state.reason ?? "lost"]);
    setSession(undefined);
  }, [state]);

  return (
    <main>
      {state.status === "signedIn" && session
        ? <Wallet session={session} expiresAt={state.session.expiresAt} />
        : <SignIn gridkey={gridkey} accountId={accountId} onSignedIn={signedIn} farewell={farewell} />}
    </main>
  );
}

const FAREWELLS = {
  expired: "Your session has ended. Sign in again.",
  lost: "This page had to start over. Sign in again.",
  signedOut: "You are signed out.",
};
