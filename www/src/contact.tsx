import { useRef } from "preact/hooks";
import { useAction } from "./action.tsx";
import { EMAIL, OneField, PHONE, contact, type Contact } from "./form.tsx";
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

const TAKEN = "Somebody's wallet has this already. Use another one.";

function ChangeContact({ session, customerId, kind, signInAgain }: ContactProps & { kind: Contact }) {
  const action = useAction({
    signInAgain,
    special: ({ code }) => (code === "credential_already_exists" || code === "conflict" ? TAKEN : undefined),
  });
  const input = useRef<HTMLInputElement>(null);
  const change = (text: string) => {
    const read = contact(kind, text);
    if ("wrong" in read) return action.say({ tone: "bad", text: read.wrong });
    return void action.run(async () => {
      if (kind === "email") await session.updateEmail({ customerId, email: read.value });
      else await session.updatePhoneNumber({ customerId, phoneNumber: read.value });
      if (input.current) input.current.value = "";
      return `Changed to ${read.value}.`;
    });
  };
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
