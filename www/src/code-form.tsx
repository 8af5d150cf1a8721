import { isGridkeyError, type GridkeyError, type OtpSignIn, type WalletSession } from "gridkey";
import { useEffect, useRef, useState } from "preact/hooks";
import { ActionButton, Status, useAction } from "./action.tsx";
import { usePage } from "./page.ts";
import { useSecondsUntil } from "./time.ts";

interface CodeFormProps {
  otp: OtpSignIn;
  /** What the button says that sends the code. */
  confirmText: string;
  backText: string;
  onSent?: () => void;
  onSignedIn: (session: WalletSession) => void;
  onBack: (text?: string) => void;
}

const RESEND_AFTER_MS = 30_000;

const CODE_USED_UP = "Your code was right, but signing in failed after that. Ask for another code.";

/** Once Grid has asked for a signature, it has taken the code. */
function isUsedUp(error: GridkeyError): boolean {
  return error.requestId !== undefined;
}

/** Where a code is entered that came by e-mail or SMS: to sign in, or to make it a way to. */
export function CodeForm({ otp, confirmText, backText, onSent, onSignedIn, onBack }: CodeFormProps) {
  const { config } = usePage();
  const submit = useAction({
    signInAgain: onBack,
    special: (error) => (isUsedUp(error) && error.recovery === "retry" ? CODE_USED_UP : undefined),
  });
  const resend = useAction({ signInAgain: onBack });
  const [resendAt, setResendAt] = useState(() => Date.now() + RESEND_AFTER_MS);
  const untilResend = useSecondsUntil(resendAt);
  const input = useRef<HTMLInputElement>(null);
  const invalid = ["otp_rejected", "otp_expired", "invalid_argument"].includes(submit.notice?.code ?? "");

  useEffect(() => {
    if (!invalid) return;
    input.current?.focus();
    input.current?.select();
  }, [submit.notice]);

  const confirm = (event: Event) => {
    event.preventDefault();
    resend.say(undefined);
    const code = input.current?.value.replace(/[\s-]/g, "") ?? "";
    void submit.run(async () => {
      try {
        onSignedIn(await otp.submit(code));
      } catch (error) {
        if (isGridkeyError(error) && (error.code === "otp_expired" || isUsedUp(error))) setResendAt(0);
        throw error;
      }
    });
  };

  const sendAnother = () => {
    submit.say(undefined);
    return resend.run(async () => {
      await otp.resend();
      onSent?.();
      setResendAt(Date.now() + RESEND_AFTER_MS);
      return "A new code is on its way. Older codes no longer work.";
    });
  };

  return (
    <>
      <p class="lead">We sent a code to <strong>{otp.sentTo}</strong>.</p>
      {config.sandbox && <p class="hint">This is a sandbox and sends no messages. The code is <strong>000000</strong>.</p>}
      <form onSubmit={confirm} noValidate>
        <label class="field">
          <span>Code</span>
          <input
            ref={input}
            id="code"
            name="code"
            type="text"
            inputMode="numeric"
            autocomplete="one-time-code"
            autocapitalize="off"
            spellcheck={false}
            maxLength={24}
            required
            aria-invalid={invalid}
            aria-describedby="code-status"
          />
        </label>
        <Status notice={submit.notice} id="code-status" />
        <ActionButton action={submit} look="primary" busyText="Checking…">{confirmText}</ActionButton>
      </form>
      <div class="row">
        {untilResend > 0
          ? <p class="quiet">You can ask for another code in {untilResend} s.</p>
          : <ActionButton action={resend} onPress={sendAnother} busyText="Sending…">Send another code</ActionButton>}
        <button type="button" class="plain" onClick={() => onBack()}>{backText}</button>
      </div>
      <Status notice={resend.notice} />
    </>
  );
}
