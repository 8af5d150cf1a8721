import type { Gridkey } from "gridkey";
import { useSyncExternalStore } from "react";
import { SignIn } from "./sign-in.tsx";
import { Wallet } from "./wallet.tsx";

interface AppProps {
  gridkey: Gridkey;
  accountId: string;
}

export function App({ gridkey, accountId }: AppProps) {
  const state = useSyncExternalStore(gridkey.subscribe, () => gridkey.state);
  // It changes together with the state.
  const { session } = gridkey;
  const farewell = state.status === "signedOut" && state.reason ? FAREWELLS[state.reason] : "";

  return (
    <main>
      {state.status === "signedIn" && session
        ? <Wallet session={session} expiresAt={state.session.expiresAt} />
        : <SignIn gridkey={gridkey} accountId={accountId} farewell={farewell} />}
    </main>
  );
}

const FAREWELLS = {
  expired: "Your session has ended. Sign in again.",
  lost: "This page had to start over. Sign in again.",
  signedOut: "You are signed out.",
};
