import { useRef } from "preact/hooks";
import { useAction } from "./action.tsx";
import { EMAIL, OneField, PHONE, phoneNumber } from "./form.tsx";
import type { CardProps } from "./wallet.tsx";

interface ContactProps extends CardProps {
  customerId: string;
}

/** Codes to sign in go to the new address too, where one went to the old one. */
export function ContactCard(props: ContactProps) {
  return (
    <section class="card" aria-labelledby="contact-heading">
      <h2 id="contact-heading">E-mail and phone</h2>
      <p class="lead">Codes to sign in go to the new one as soon as you have changed it.</p>
      <details>
        <summary>Change your e-mail address</summary>
        <ChangeContact {...props} kind="email" />
      </details>
      <details>
        <summary>Change your phone number</summary>
        <ChangeContact {...props} kind="phone" />
      </details>
    </section>
  );
}

const CHECK = {
  email: "This is not an e-mail address that can be used. Check it.",
  phone: "This is not a number that can be used. Write it with + and the country code.",
};
const TAKEN = "Somebody's wallet has this already. Use another one.";

function ChangeContact({ session, customerId, kind, signInAgain }: ContactProps & { kind: "email" | "phone" }) {
  const action = useAction({
    signInAgain,
    special: ({ code, gridCode }) => {
      if (code === "credential_already_exists" || code === "conflict") return TAKEN;
      return code === "invalid_argument" || gridCode === "INVALID_INPUT" ? CHECK[kind] : undefined;
    },
  });
  const input = useRef<HTMLInputElement>(null);
  const change = (text: string) =>
    action.run(async () => {
      if (kind === "email") await session.updateEmail({ customerId, email: text });
      else await session.updatePhoneNumber({ customerId, phoneNumber: phoneNumber(text) });
      if (input.current) input.current.value = "";
      return `Changed to ${text}.`;
    });
  return (
    <OneField
      label={kind === "email" ? "New e-mail address" : "New phone number"}
      action={action}
      input={input}
      attributes={kind === "email" ? { id: "new-email", ...EMAIL } : { id: "new-phone", ...PHONE }}
      invalid={action.notice?.tone === "bad"}
      submitText={kind === "email" ? "Change e-mail address" : "Change phone number"}
      busyText="Changing…"
      onSubmit={change}
    />
  );
}
