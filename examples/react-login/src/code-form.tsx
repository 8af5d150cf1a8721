import type { Gridkey, OtpState, WalletSession } from "gridkey";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { AttemptButton, useAttempt, useSecondsUntil } from "./attempt.tsx";

const RESEND_AFTER_MS = 30_000;

interface CodeFormProps {
  gridkey: Gridkey;
  /** The code that is under way: what is kept of it over a reload is all that is needed. */
  otp: OtpState;
  /** After each further code. */
  onSent: (otp: OtpState) => void;
  onSignedIn: (session: WalletSession) => void;
  onBack: () => void;
}

export function CodeForm({ gridkey, otp, onSent, onSignedIn, onBack }: CodeFormProps) {
  const [code, setCode] = useState("");
  const [resendAt, setResendAt] = useState(() => Date.now() + RESEND_AFTER_MS);
  const [news, setNews] = useState("");
  const untilResend = useSecondsUntil(resendAt);
  const submitting = useAttempt();
  const resending = useAttempt();
  const input = useRef<HTMLInputElement>(null);
  const wrong = ["otp_rejected", "otp_expired", "invalid_argument"].includes(submitting.failed?.code ?? "");

  // After a wrong code the next one is typed over it.
  useEffect(() => {
    if (!wrong) return;
    input.current?.focus();
    input.current?.select();
  }, [submitting.failed]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setNews("");
    void submitting.run(async (signal) => {
      using signIn = await gridkey.resumeOtp(otp);
      onSignedIn(await signIn.submit(code, { signal }));
    });
  };

  const resend = () =>
    resending.run(async (signal) => {
      using signIn = await gridkey.resumeOtp(otp);
      await signIn.resend({ signal });
      setResendAt(Date.now() + RESEND_AFTER_MS);
      setNews("A new code is on its way. Older codes no longer work.");
      onSent(signIn.state);
    });

  return (
    <>
      <h1>Enter your code</h1>
      <p id="sent-to">We sent a code to {otp.sentTo}.</p>
      <form onSubmit={submit}>
        <label htmlFor="code">Code</label>
        <input
          ref={input}
          id="code"
          autoFocus
          required
          inputMode="numeric"
          autoComplete="one-time-code"
          autoCapitalize="off"
          spellCheck={false}
          value={code}
          // Codes are pasted as "123 456" and "123-456".
          onChange={({ target }) => setCode(target.value.replace(/[\s-]/g, ""))}
          aria-invalid={wrong}
          aria-describedby="sent-to"
        />
        <AttemptButton attempt={submitting} busyText="Checking your code…">Sign in</AttemptButton>
      </form>
      {untilResend > 0
        ? <p className="quiet">You can ask for another code in {untilResend} s.</p>
        : <AttemptButton attempt={resending} onPress={resend} busyText="Sending another code…">Send another code</AttemptButton>}
      <p role="status">{news}</p>
      <button type="button" className="plain" onClick={onBack}>Sign in another way</button>
    </>
  );
}
