import type { AuthMethod, WalletSession } from "gridkey";
import { useEffect, useRef, useState } from "preact/hooks";
import { ActionButton, Status, useAction } from "./action.tsx";
import { AddCode, type CodeType } from "./add-code.tsx";
import { AddPasskey } from "./add-passkey.tsx";
import type { Provider } from "./config.ts";
import { usePage } from "./page.ts";
import { askInWindow } from "./provider.ts";
import { day } from "./time.ts";
import type { CardProps } from "./wallet.tsx";

export const METHOD_NAMES: Record<AuthMethod["type"], string> = {
  EMAIL_OTP: "E-mail code",
  SMS_OTP: "Text message code",
  OAUTH: "Identity provider",
  PASSKEY: "Passkey",
};

interface MethodsProps extends CardProps {
  shown: boolean;
  /** Goes on with another session. */
  onSession: (session: WalletSession) => void;
}

export function MethodsCard({ session, shown, signInAgain, onSession }: MethodsProps) {
  const { config, gridkey } = usePage();
  const load = useAction({ signInAgain });
  const [methods, setMethods] = useState<readonly AuthMethod[]>();
  const [open, setOpen] = useState<string>();
  const opener = useRef<HTMLElement | null>(null);

  const fetchMethods = async () => setMethods(await gridkey.listAuthMethods({ accountId: config.accountId }));
  const loadMethods = () => load.run(fetchMethods);
  // What other cards do changes them too.
  useEffect(() => void (shown && loadMethods()), [shown]);

  const toggle = (name: string, { currentTarget }: { currentTarget: HTMLElement }) => {
    opener.current = currentTarget;
    load.say(undefined);
    setOpen(open === name ? undefined : name);
  };
  const close = () => {
    setOpen(undefined);
    opener.current?.focus();
  };
  const say = (text: string) => {
    load.say({ tone: "good", text });
    close();
  };
  const added = (method: AuthMethod) => {
    setMethods((known) => [...(known ?? []), method]);
    say(`“${method.nickname}” was added. You can sign in with it from now on.`);
  };
  const addedCode = (next: WalletSession, sentTo: string) => {
    onSession(next);
    close();
    void load.run(async () => (await fetchMethods(), `“${sentTo}” was added, and you are signed in with it now.`));
  };
  const confirmLater = () => {
    close();
    void loadMethods();
  };
  const removed = ({ id, nickname }: AuthMethod) => {
    setMethods((known) => known?.filter((method) => method.id !== id));
    say(`“${nickname}” was removed. It no longer opens your wallet.`);
    document.getElementById("methods-heading")?.focus();
  };

  const opens = (name: string) => ({
    type: "button" as const,
    class: "plain",
    "aria-expanded": open === name,
    onClick: (event: { currentTarget: HTMLElement }) => toggle(name, event),
  });
  const has = (type: AuthMethod["type"]) => methods?.some((method) => method.type === type);
  const codeTypes = (["EMAIL_OTP", "SMS_OTP"] as const).filter((type) => methods && !has(type));
  const card = { session, signInAgain, onCancel: close };

  return (
    <section class="card" aria-labelledby="methods-heading">
      <h2 id="methods-heading" tabIndex={-1}>Ways to sign in</h2>
      <ul class="items" aria-busy={load.busy}>
        {methods?.map((method) => (
          <li key={method.id}>
            <div class="item">
              <strong>{method.nickname}</strong>
              <span class="quiet">
                {METHOD_NAMES[method.type]} · added {day(new Date(method.createdAt))}
                {method.id === session.authMethodId && " · in use now"}
              </span>
            </div>
            <button {...opens(method.id)} aria-label={`Remove ${METHOD_NAMES[method.type].toLowerCase()} ${method.nickname}`}>Remove</button>
            {open === method.id && (
              <RemoveMethod
                {...card}
                method={method}
                refusal={whyNot(method, methods, session)}
                onRemoved={() => removed(method)}
              />
            )}
          </li>
        ))}
      </ul>
      <Status notice={load.notice} />
      {!methods && !load.busy && <ActionButton action={load} onPress={loadMethods}>Try again</ActionButton>}
      <div class="row">
        <button {...opens("passkey")}>Add a passkey</button>
        {codeTypes.map((type) => <button key={type} {...opens(type)}>{ADD_CODE[type]}</button>)}
        {config.oauth && <button {...opens("provider")}>Add {config.oauth.name}</button>}
      </div>
      {open === "passkey" && <AddPasskey {...card} onAdded={added} />}
      {codeTypes.map((type) =>
        open === type && <AddCode key={type} {...card} type={type} onAdded={addedCode} onLater={confirmLater} />)}
      {open === "provider" && config.oauth && <AddProvider {...card} provider={config.oauth} onAdded={added} />}
    </section>
  );
}

const ADD_CODE: Record<CodeType, string> = { EMAIL_OTP: "Add an e-mail code", SMS_OTP: "Add a text message code" };

/** Why a way to sign in cannot be removed. */
function whyNot(method: AuthMethod, methods: readonly AuthMethod[], session: WalletSession): string | undefined {
  if (methods.length === 1) return "This is the only way into your wallet. Add another one first.";
  if (method.id === session.authMethodId) return "You are signed in with this one. To remove it, sign in another way first.";
  if (method.type === "EMAIL_OTP" || method.type === "SMS_OTP") return UNDOCUMENTED;
  return undefined;
}

const UNDOCUMENTED =
  "The wallet service does not say what has to be signed to remove a code, and this page signs nothing that it cannot check. " +
  "Contact support to have it removed.";

interface RemoveProps extends CardProps {
  method: AuthMethod;
  refusal: string | undefined;
  onRemoved: () => void;
  onCancel: () => void;
}

function RemoveMethod({ session, method, refusal, signInAgain, onRemoved, onCancel }: RemoveProps) {
  const action = useAction({ signInAgain });
  const remove = () =>
    action.run(async () => {
      await session.revokeAuthMethod(method.id);
      onRemoved();
    });
  return (
    <div class="inset">
      <p>
        {refusal ?? `Remove “${method.nickname}”? It will no longer open your wallet, and devices that are signed in with it are signed out.`}
      </p>
      <div class="row">
        {refusal === undefined && (
          <ActionButton action={action} look="primary" onPress={remove} busyText="Removing…">Yes, remove it</ActionButton>
        )}
        <button type="button" class="plain" onClick={onCancel}>{refusal === undefined ? "Keep it" : "Close"}</button>
      </div>
      <Status notice={action.notice} />
    </div>
  );
}

interface AddProviderProps extends CardProps {
  provider: Provider;
  onAdded: (method: AuthMethod) => void;
  onCancel: () => void;
}

/** In a window of its own, because this session lives as long as this page. */
function AddProvider({ session, provider, signInAgain, onAdded, onCancel }: AddProviderProps) {
  const action = useAction({ signInAgain });
  const { clientId, name } = provider;
  const add = () =>
    action.run(async () => {
      const idToken = await askInWindow(provider);
      onAdded(await session.addOAuth({ idToken, clientId }));
    });
  return (
    <div class="inset">
      <p>{name} opens in a window. Sign in there within a minute; whoever can sign in there as you can then open your wallet.</p>
      <div class="row">
        <ActionButton action={action} look="primary" onPress={add} busyText={`Waiting for ${name}…`}>Open {name}</ActionButton>
        <button type="button" class="plain" onClick={onCancel}>Cancel</button>
      </div>
      <Status notice={action.notice} />
    </div>
  );
}
