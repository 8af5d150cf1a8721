import type { AgentDeviceCode, AuthMethod, GridkeyErrorCode, PasskeyEnrolment, SessionState, WalletSession } from "gridkey";
import { useEffect, useRef, useState } from "preact/hooks";
import { ActionButton, Status, useAction, type Action } from "./action.tsx";
import { usePage } from "./page.ts";
import { usePreparation } from "./preparation.ts";
import { clock, day, useSecondsUntil } from "./time.ts";

export type SignedIn = Extract<SessionState, { status: "signedIn" }>["session"];

interface WalletProps {
  session: WalletSession;
  facts: SignedIn;
  signInAgain: (text: string) => void;
  onSignedOut: (revokedAtGrid: boolean) => void;
}

export function Wallet({ session, facts, signInAgain, onSignedOut }: WalletProps) {
  const { config } = usePage();
  return (
    <>
      <h1 id="wallet-heading" tabIndex={-1}>Your wallet is unlocked</h1>
      <SessionCard session={session} facts={facts} signInAgain={signInAgain} onSignedOut={onSignedOut} />
      <MethodsCard session={session} signInAgain={signInAgain} />
      {config.agentId !== undefined && <AgentCard agentId={config.agentId} signInAgain={signInAgain} />}
    </>
  );
}

const ENDS_SOON_SECONDS = 120;
/** gridkey ends a session this much before Grid does: what it signs must still get there. */
const ENDS_EARLY_MS = 30_000;

function SessionCard({ session, facts, signInAgain, onSignedOut }: WalletProps) {
  const refresh = useAction({ signInAgain });
  const leave = useAction({ signInAgain });
  const left = useSecondsUntil(facts.expiresAt.getTime() - ENDS_EARLY_MS);
  const whole = useRef({ id: "", seconds: 1 });
  if (whole.current.id !== facts.id) whole.current = { id: facts.id, seconds: Math.max(left, 1) };
  const endsSoon = left <= ENDS_SOON_SECONDS;

  return (
    <section class="card" aria-labelledby="session-heading">
      <h2 id="session-heading">Session</h2>
      <p class="lead">Signed in with {facts.type === "PASSKEY" ? "your passkey" : "a code sent to"} <strong>{facts.nickname}</strong>.</p>
      <p class="timer">
        <span role="timer" aria-labelledby="timer-label">{clock(left)}</span>
        <span id="timer-label"> left</span>
      </p>
      <progress class={endsSoon ? "ending" : ""} max={whole.current.seconds} value={left} aria-hidden="true" />
      <div role="status">
        {endsSoon && <p class="notice warn">Your session ends soon. Stay signed in to keep your wallet unlocked.</p>}
      </div>
      <div class="row">
        <ActionButton
          action={refresh}
          look="primary"
          busyText="Renewing…"
          onPress={() => refresh.run(async () => (await session.refresh(), "Your session was renewed, with a new key."))}
        >
          Stay signed in
        </ActionButton>
        <ActionButton
          action={leave}
          busyText="Signing out…"
          onPress={() => leave.run(async () => onSignedOut((await session.signOut()).revokedAtGrid))}
        >
          Sign out
        </ActionButton>
      </div>
      <Status notice={refresh.notice} />
      <Status notice={leave.notice} />
    </section>
  );
}

interface CardProps {
  signInAgain: (text: string) => void;
}

function MethodsCard({ session, signInAgain }: CardProps & { session: WalletSession }) {
  const { config, gridkey } = usePage();
  const load = useAction({ signInAgain });
  const [methods, setMethods] = useState<readonly AuthMethod[]>();
  const [adding, setAdding] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);

  const loadMethods = () =>
    load.run(async () => setMethods(await gridkey.listAuthMethods({ accountId: config.accountId })));
  useEffect(() => void loadMethods(), []);

  const close = () => {
    setAdding(false);
    opener.current?.focus();
  };
  const added = (method: AuthMethod) => {
    setMethods((known) => [...(known ?? []), method]);
    load.say({ tone: "good", text: `“${method.nickname}” was added. You can sign in with it from now on.` });
    close();
  };

  return (
    <section class="card" aria-labelledby="methods-heading">
      <h2 id="methods-heading">Ways to sign in</h2>
      <ul class="methods" aria-busy={load.busy}>
        {methods?.map(({ id, type, nickname, createdAt }) => (
          <li key={id}>
            <strong>{nickname}</strong>
            <span class="quiet">{METHOD_NAMES[type]} · added {day(new Date(createdAt))}</span>
          </li>
        ))}
      </ul>
      <Status notice={load.notice} />
      {!methods && !load.busy && <ActionButton action={load} onPress={loadMethods}>Try again</ActionButton>}
      <button ref={opener} type="button" class="plain" aria-expanded={adding} onClick={() => setAdding(!adding)}>
        Add a passkey
      </button>
      {adding && <AddPasskey session={session} signInAgain={signInAgain} onAdded={added} onCancel={close} />}
    </section>
  );
}

const METHOD_NAMES: Record<AuthMethod["type"], string> = {
  EMAIL_OTP: "E-mail code",
  SMS_OTP: "Text message code",
  OAUTH: "Identity provider",
  PASSKEY: "Passkey",
};

interface AddPasskeyProps extends CardProps {
  session: WalletSession;
  onAdded: (method: AuthMethod) => void;
  onCancel: () => void;
}

const NO_PASSKEY: { [code in GridkeyErrorCode]?: string } = {
  passkey_not_used: "No passkey was made: the prompt was closed or timed out. Try again when you are ready.",
  invalid_argument: "Use letters, numbers, spaces and . _ - ' ( ) for the name, 100 at most.",
};

function AddPasskey({ session, signInAgain, onAdded, onCancel }: AddPasskeyProps) {
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

const AGENT_CONNECTED = "Your agent is already connected, so it needs no code. Disconnect it first to connect it anew.";

function AgentCard({ agentId, signInAgain }: CardProps & { agentId: string }) {
  const { gridkey } = usePage();
  const [deviceCode, setDeviceCode] = useState<AgentDeviceCode>();
  const copy = useAction();
  const issue = useAction({
    signInAgain,
    special: ({ code }) => (code === "conflict" ? AGENT_CONNECTED : undefined),
  });

  return (
    <section class="card" aria-labelledby="agent-heading">
      <h2 id="agent-heading">Connect an agent</h2>
      <p class="lead">An agent pays on your behalf, within limits you set. Type the code into its software.</p>
      {deviceCode && <DeviceCode deviceCode={deviceCode} copy={copy} />}
      <ActionButton
        action={issue}
        look={deviceCode ? "plain" : "primary"}
        busyText="Issuing…"
        onPress={() =>
          issue.run(async () => {
            copy.say(undefined);
            setDeviceCode((await gridkey.api.regenerateAgentDeviceCode(agentId)).deviceCode);
            return "Here is your code. Codes issued before no longer work.";
          })}
      >
        {deviceCode ? "Issue another code" : "Issue a code"}
      </ActionButton>
      <Status notice={issue.notice} />
    </section>
  );
}

function DeviceCode({ deviceCode, copy }: { deviceCode: AgentDeviceCode; copy: Action }) {
  const left = useSecondsUntil(new Date(deviceCode.expiresAt).getTime());
  const copyCode = () =>
    navigator.clipboard.writeText(deviceCode.code).then(
      () => copy.say({ tone: "good", text: "Copied." }),
      () => copy.say({ tone: "bad", text: "The browser did not allow it. Select the code and copy it." }),
    );
  if (left === 0) return <p class="notice warn">The code has run out. Issue another one.</p>;
  return (
    <div class="inset device-code">
      <output aria-label="Device code">{deviceCode.code}</output>
      <ActionButton action={copy} onPress={() => copy.run(copyCode)}>Copy</ActionButton>
      <p class="quiet">Runs out in <span role="timer">{clock(left)}</span>.</p>
      <Status notice={copy.notice} />
    </div>
  );
}
