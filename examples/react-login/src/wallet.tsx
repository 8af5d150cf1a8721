import type { WalletSession } from "gridkey";
import { useEffect, useRef, useState } from "react";
import { AttemptButton, focused, useAttempt, useSecondsUntil } from "./attempt.tsx";
import { usePrepared } from "./prepared.ts";

const REFRESH_BEFORE_END_S = 90;
const IDLE_AFTER_MS = 5 * 60_000;

interface WalletProps {
  session: WalletSession;
  /** Changes with each refresh. */
  expiresAt: Date;
}

/** What a signed-in customer sees. Yours has more in it. */
export function Wallet({ session, expiresAt }: WalletProps) {
  const left = useSecondsUntil(expiresAt.getTime());
  const lastTouched = useLastTouched();
  const refreshing = useAttempt();
  const leaving = useAttempt();
  const ending = left <= REFRESH_BEFORE_END_S;

  const refresh = () => refreshing.run((signal) => session.refresh({ signal }));
  // By itself while somebody is here; otherwise the button asks.
  useEffect(() => {
    if (ending && Date.now() - lastTouched.current < IDLE_AFTER_MS) void refresh();
  }, [ending]);

  // Ends here at once, whatever the network does.
  const signOut = () => leaving.run(async () => void (await session.signOut()));

  return (
    <>
      <h1 ref={focused} tabIndex={-1}>Your wallet is open</h1>
      <p>Signed in with {session.nickname}.</p>
      {ending && (
        <>
          <p role="alert">Your session is about to end.</p>
          <AttemptButton attempt={refreshing} onPress={refresh} busyText="One moment…">Stay signed in</AttemptButton>
        </>
      )}
      {session.type !== "PASSKEY" && <AddPasskey session={session} />}
      <AttemptButton attempt={leaving} onPress={signOut} busyText="Signing out…">Sign out</AttemptButton>
    </>
  );
}

/** After a sign-in by code: the next one goes without. */
function AddPasskey({ session }: Pick<WalletProps, "session">) {
  const attempt = useAttempt();
  const [added, setAdded] = useState(false);
  const prepared = usePrepared((signal) => session.preparePasskeyRegistration({ nickname: "This device", signal }), true);
  const add = () =>
    attempt.run(async (signal) => {
      await prepared(signal, (enrolment) => enrolment.confirm({ signal }));
      setAdded(true);
    });
  if (added) return <p role="status">Next time you can sign in with your passkey.</p>;
  return <AttemptButton attempt={attempt} onPress={add} busyText="Waiting for your device…">Add a passkey</AttemptButton>;
}

function useLastTouched() {
  const time = useRef(Date.now());
  useEffect(() => {
    const touch = () => void (time.current = Date.now());
    const events = ["pointerdown", "keydown"] as const;
    for (const event of events) addEventListener(event, touch);
    return () => {
      for (const event of events) removeEventListener(event, touch);
    };
  }, []);
  return time;
}
