import { capabilities, type AuthMethod, type Gridkey, type OtpState, type WalletSession } from "gridkey";
import { useEffect, useState } from "react";
import { AttemptButton, Outcome, focused, useAttempt } from "./attempt.tsx";
import { CodeForm } from "./code-form.tsx";
import { keep } from "./keep.ts";
import { usePrepared } from "./prepared.ts";

interface SignInProps {
  gridkey: Gridkey;
  accountId: string;
  farewell: string;
}

export function SignIn({ gridkey, accountId, farewell }: SignInProps) {
  const [methods, setMethods] = useState<AuthMethod[]>();
  const [otp, setOtp] = useState(keep.otp.read);
  const load = useAttempt();

  const look = () =>
    load.run(async (signal) => {
      const [found, can] = await Promise.all([gridkey.listAuthMethods({ accountId, signal }), capabilities()]);
      const usable = found.filter(({ type }) => type === "EMAIL_OTP" || (type === "PASSKEY" && can.passkeys !== false));
      // Passkeys first, newest first; before them the way that was used last.
      const last = keep.lastMethod.read();
      const rank = ({ id, type }: AuthMethod) => (id === last ? 0 : type === "PASSKEY" ? 1 : 2);
      setMethods(usable.sort((a, b) => rank(a) - rank(b) || b.createdAt.localeCompare(a.createdAt)));
    });
  useEffect(() => void look(), [gridkey, accountId]);

  const back = () => {
    keep.otp.clear();
    setOtp(undefined);
  };
  const enter = (session: WalletSession) => {
    back();
    if (session.authMethodId !== undefined) keep.lastMethod.write(session.authMethodId);
  };
  const sent = (state: OtpState) => {
    keep.otp.write(state);
    setOtp(state);
  };

  // A code that was sent before a reload is still good.
  if (otp?.accountId === accountId) {
    return <CodeForm gridkey={gridkey} otp={otp} onSent={sent} onSignedIn={enter} onBack={back} />;
  }

  return (
    <>
      <h1 ref={focused} tabIndex={-1}>Sign in to your wallet</h1>
      {farewell && <p>{farewell}</p>}
      {!methods && <Outcome attempt={load} busyText="Looking up how you can sign in…" />}
      {load.failed && <button type="button" autoFocus onClick={look}>Try again</button>}
      {methods?.map((method, index) =>
        method.type === "PASSKEY"
          ? <PasskeyWay key={method.id} gridkey={gridkey} method={method} first={index === 0} onSignedIn={enter} />
          : <EmailWay key={method.id} gridkey={gridkey} method={method} first={index === 0} onSent={sent} />)}
      {methods?.length === 0 && <p role="alert">This browser has no way to open your wallet. Try another one.</p>}
    </>
  );
}

interface WayProps {
  gridkey: Gridkey;
  method: AuthMethod;
  first: boolean;
}

function PasskeyWay({ gridkey, method: { id, accountId, nickname }, first, onSignedIn }: WayProps & { onSignedIn: (session: WalletSession) => void }) {
  const attempt = useAttempt();
  // Each challenge is a request; only the passkey that will be used most likely has one ahead.
  const prepared = usePrepared((signal) => gridkey.preparePasskey({ authMethodId: id, accountId, signal }), first);
  const signIn = () =>
    attempt.run(async (signal) => onSignedIn(await prepared(signal, (passkey) => passkey.confirm({ signal }))));

  return (
    <AttemptButton attempt={attempt} onPress={signIn} autoFocus={first} busyText="Waiting for your passkey…">
      Sign in with passkey “{nickname}”
    </AttemptButton>
  );
}

function EmailWay({ gridkey, method: { id, accountId, nickname }, first, onSent }: WayProps & { onSent: (otp: OtpState) => void }) {
  const attempt = useAttempt();
  const send = () =>
    attempt.run(async (signal) => {
      using signIn = await gridkey.sendOtp({ authMethodId: id, accountId, signal });
      onSent(signIn.state);
    });
  return (
    <AttemptButton attempt={attempt} onPress={send} autoFocus={first} busyText="Sending a code…">
      Send a code to {nickname}
    </AttemptButton>
  );
}
