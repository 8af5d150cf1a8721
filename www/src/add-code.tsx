import type { GridkeyError, OtpSignIn, WalletSession } from "gridkey";
import { useEffect, useRef, useState } from "preact/hooks";
import { useAction } from "./action.tsx";
import { CodeForm } from "./code-form.tsx";
import { EMAIL, OneField, PHONE, contact } from "./form.tsx";
import type { CardProps } from "./wallet.tsx";

export type CodeType = "EMAIL_OTP" | "SMS_OTP";

interface AddCodeProps extends CardProps {
  type: CodeType;
  /** The code was right, and has opened this session. */
  onAdded: (session: WalletSession, sentTo: string) => void;
  /** The way to sign in is there, but its code is not entered now. */
  onLater: () => void;
  onCancel: () => void;
}

const NOT_ON_FILE =
  "This is not what the wallet service has on file for you, so nothing was signed. Check it, or change it in the settings first.";

function special({ code, reason }: GridkeyError): string | undefined {
  return code === "intent_refused" && reason === "parameters" ? NOT_ON_FILE : undefined;
}

export function AddCode({ type, session, signInAgain, onAdded, onLater, onCancel }: AddCodeProps) {
  const action = useAction({ signInAgain, special });
  const input = useRef<HTMLInputElement>(null);
  const [otp, setOtp] = useState<OtpSignIn>();
  const isEmail = type === "EMAIL_OTP";
  useEffect(() => (otp ? document.getElementById("code") : input.current)?.focus(), [otp]);
  useEffect(() => () => otp?.free(), [otp]);

  const send = (text: string) => {
    const read = contact(isEmail ? "email" : "phone", text);
    if ("wrong" in read) return action.say({ tone: "bad", text: read.wrong });
    const { value } = read;
    return void action.run(async () =>
      setOtp(isEmail ? await session.addEmailOtp({ email: value }) : await session.addSmsOtp({ phoneNumber: value })));
  };

  if (otp) {
    return (
      <div class="inset">
        <CodeForm
          otp={otp}
          confirmText="Confirm"
          backText="Later"
          onSignedIn={(next) => onAdded(next, otp.sentTo)}
          onBack={(text) => (text === undefined ? onLater() : signInAgain(text))}
        />
      </div>
    );
  }
  return (
    <OneField
      label={isEmail ? "Your e-mail address" : "Your phone number"}
      hint={`The one that the wallet service knows of you. It gets a code ${isEmail ? "by e-mail" : "by text message"}.`}
      action={action}
      input={input}
      attributes={isEmail ? { id: "add-email", ...EMAIL } : { id: "add-phone", ...PHONE }}
      invalid={action.notice?.tone === "bad"}
      submitText="Send a code"
      busyText="Sending…"
      onSubmit={send}
      onCancel={onCancel}
    />
  );
}
