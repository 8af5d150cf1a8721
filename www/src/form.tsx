import type { ComponentChildren, InputHTMLAttributes, RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { ActionButton, Status, type Action } from "./action.tsx";

interface OneFieldProps {
  label: string;
  /** Below the field. */
  hint?: ComponentChildren;
  action: Action;
  input: RefObject<HTMLInputElement | null>;
  attributes: InputHTMLAttributes<HTMLInputElement> & { id: string };
  /** Whether what went wrong is in the field. */
  invalid: boolean;
  submitText: string;
  busyText?: string;
  onSubmit: (text: string) => void;
  onCancel?: () => void;
}

/** A form of one field, which takes the focus when it has to be filled in again. */
export function OneField({ label, hint, action, input, attributes, invalid, submitText, busyText, onSubmit, onCancel }: OneFieldProps) {
  const { id } = attributes;
  useEffect(() => {
    if (invalid) input.current?.focus();
  }, [action.notice]);
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit(input.current?.value.trim() ?? "");
  };
  return (
    <form class="inset" onSubmit={submit} noValidate>
      <label class="field">
        <span>{label}</span>
        <input ref={input} {...attributes} required aria-invalid={invalid} aria-describedby={`${id}-hint ${id}-status`} />
      </label>
      <p class="quiet" id={`${id}-hint`}>{hint}</p>
      <Status notice={action.notice} id={`${id}-status`} />
      <div class="row">
        <ActionButton action={action} look="primary" busyText={busyText}>{submitText}</ActionButton>
        {onCancel && <button type="button" class="plain" onClick={onCancel}>Cancel</button>}
      </div>
    </form>
  );
}

/** What a field for an e-mail address needs. */
export const EMAIL = { type: "email", inputMode: "email", autocomplete: "email", maxLength: 254, spellcheck: false } as const;
/** What a field for a phone number needs. */
export const PHONE = { type: "tel", inputMode: "tel", autocomplete: "tel", maxLength: 30, placeholder: "+1 415 555 0101" } as const;

export type Contact = "email" | "phone";

const CONTACTS = {
  email: {
    read: (text: string) => text,
    form: /^[^@\s]+@[^@\s]+\.[^@\s]+$/,
    wrong: "This is not an e-mail address that can be used. Check it.",
  },
  phone: {
    read: phoneNumber,
    // E.164
    form: /^\+[1-9]\d{1,14}$/,
    wrong: "This is not a number that can be used. Write it with + and the country code.",
  },
};

/** The address or number in what somebody typed, or what to tell them. */
export function contact(kind: Contact, text: string): { value: string } | { wrong: string } {
  const { read, form, wrong } = CONTACTS[kind];
  const value = read(text);
  return form.test(value) ? { value } : { wrong };
}

/** As E.164 has it: people write numbers with spaces, brackets and so on. */
function phoneNumber(text: string): string {
  return text.replace(/[\s().\/-]/g, "");
}
