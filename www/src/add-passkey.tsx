import type { AuthMethod, GridkeyErrorCode, PasskeyEnrolment } from "gridkey";
import { useEffect, useRef, useState } from "preact/hooks";
import { ActionButton, Status, useAction } from "./action.tsx";
import { usePreparation } from "./preparation.ts";
import type { CardProps } from "./wallet.tsx";

interface AddPasskeyProps extends CardProps {
  onAdded: (method: AuthMethod) => void;
  onCancel: () => void;
}

const NO_PASSKEY: { [code in GridkeyErrorCode]?: string } = {
  passkey_not_used: "No passkey was made: the prompt was closed or timed out. Try again when you are ready.",
  invalid_argument: "Use letters, numbers, spaces and . _ - ' ( ) for the name, 100 at most.",
};

export function AddPasskey({ session, signInAgain, onAdded, onCancel }: AddPasskeyProps) {
  const action = useAction({
    signInAgain,
    special: ({ code }) => NO_PASSKEY[code],
  });
  const preparation = usePreparation<PasskeyEnrolment>((nickname) => session.preparePasskeyRegistration({ nickname }));
  const input = useRef<HTMLInputElement>(null);
  const [prompt, setPrompt] = useState<PasskeyEnrolment>();
  const invalid = action.notice?.code === "invalid_argument";
  const nickname = () => input.current?.value ?? "";

  useEffect(() => {
    input.current?.focus();
    preparation.ahead(nickname());
  }, []);
  useEffect(() => {
    if (invalid) input.current?.focus();
  }, [action.notice]);

  const create = (event: Event) => {
    event.preventDefault();
    void action.run(async () => {
      const enrolment = await preparation.get(nickname());
      setPrompt(enrolment);
      onAdded(await enrolment.confirm().finally(() => setPrompt(undefined)));
    });
  };

  return (
    <form class="inset" onSubmit={create} noValidate>
      <label class="field">
        <span>Name of the passkey</span>
        <input
          ref={input}
          name="nickname"
          type="text"
          autocomplete="off"
          maxLength={100}
          required
          defaultValue={deviceName()}
          aria-invalid={invalid}
          aria-describedby="nickname-hint nickname-status"
          onChange={() => preparation.ahead(nickname())}
        />
      </label>
      <p class="quiet" id="nickname-hint">So that you know it again, for example the name of this device.</p>
      <Status notice={action.notice} id="nickname-status" />
      <div class="row">
        <ActionButton action={action} look="primary" busyText={prompt && "Waiting for your device…"}>Create passkey</ActionButton>
        <button type="button" class="plain" onClick={() => (prompt ? prompt.cancel() : onCancel())}>Cancel</button>
      </div>
    </form>
  );
}

/** Android's user agent names Linux too, and iOS's names Mac. */
const DEVICES = ["iPhone", "iPad", "Android", "Mac", "Windows", "Linux"];

function deviceName(): string {
  return DEVICES.find((name) => navigator.userAgent.includes(name)) ?? "";
}
