import { capabilities, type AuthMethod, type Gridkey, type OtpSignIn, type PasskeySignIn, type WalletSession } from "gridkey";
import { useEffect, useState } from "preact/hooks";
import { ActionButton, Status, useAction, type Notice } from "./action.tsx";
import { CodeForm } from "./code-form.tsx";
import type { Provider } from "./config.ts";
import { useFocus } from "./focus.ts";
import { kept } from "./kept.ts";
import { usePage } from "./page.ts";
import { usePreparation } from "./preparation.ts";
import { ProviderError, depart, type Arrival } from "./provider.ts";

interface SignInProps {
  /** Why the last session ended. */
  farewell: Notice | undefined;
  /** How the page was come back to from an identity provider, until that was dealt with. */
  arrival: Arrival | undefined;
  onSignedIn: (session: WalletSession) => void;
}

export function SignIn({ farewell, arrival, onSignedIn }: SignInProps) {
  const { config, gridkey } = usePage();
  const [methods, setMethods] = useState<readonly AuthMethod[]>();
  const [otp, setOtp] = useState<OtpSignIn>();
  const [setback, setSetback] = useState<Notice>();
  const [beginning, setBeginning] = useState(0);
  const load = useAction();

  const loadMethods = () =>
    load.run(async () => setMethods(await gridkey.listAuthMethods({ accountId: config.accountId })));

  useEffect(() => void loadMethods(), [gridkey]);
  // A code that was sent before the page was reloaded is still good.
  useEffect(() => void resumeOtp(gridkey, config.accountId).then(setOtp), [gridkey]);

  useFocus(otp ? "code" : "sign-in-heading", beginning);

  const beginAnew = (text?: string) => {
    kept.otp.clear();
    otp?.free();
    setOtp(undefined);
    setSetback(text === undefined ? undefined : { tone: "bad", text });
    setBeginning(beginning + 1);
  };

  const showCodeForm = (sent: OtpSignIn) => {
    kept.otp.write(sent.state);
    setOtp(sent);
  };

  if (otp) {
    const enter = (session: WalletSession) => {
      kept.otp.clear();
      onSignedIn(session);
    };
    return (
      <section class="card" aria-labelledby="code-heading">
        <h1 id="code-heading">Enter your code</h1>
        <CodeForm
          otp={otp}
          confirmText="Sign in"
          backText="Use another way"
          onSent={() => kept.otp.write(otp.state)}
          onSignedIn={enter}
          onBack={beginAnew}
        />
      </section>
    );
  }

  const of = (...types: AuthMethod["type"][]) => methods?.filter(({ type }) => types.includes(type)) ?? [];
  const passkeys = of("PASSKEY");
  const codes = of("EMAIL_OTP", "SMS_OTP");
  const providers = config.oauth ? of("OAUTH") : [];

  return (
    <section class="card" aria-labelledby="sign-in-heading">
      <h1 id="sign-in-heading" tabIndex={-1} aria-describedby="farewell">Unlock your wallet</h1>
      <p class="lead">Prove that it is you, and this browser may sign for your wallet for a while.</p>
      <Status notice={setback ?? farewell} id="farewell" />
      <Return arrival={arrival} onSignedIn={onSignedIn} />
      {methods && (
        <div class="ways" key={beginning}>
          <PasskeyWay passkeys={passkeys} onSignedIn={onSignedIn} signInAgain={beginAnew} />
          {codes.length + providers.length > 0 && <p class="or" aria-hidden="true">or</p>}
          {codes.map((method) => <CodeWay key={method.id} method={method} onSent={showCodeForm} signInAgain={beginAnew} />)}
          {config.oauth && providers.map((method) => (
            <ProviderWay key={method.id} method={method} provider={config.oauth!} signInAgain={beginAnew} />
          ))}
        </div>
      )}
      {load.busy && <p class="quiet">Looking up your ways to sign in…</p>}
      <Status notice={load.notice} />
      {!methods && !load.busy && <ActionButton action={load} look="primary" onPress={loadMethods}>Try again</ActionButton>}
    </section>
  );
}

interface WayProps {
  signInAgain: (text: string) => void;
}

interface PasskeyWayProps extends WayProps {
  passkeys: readonly AuthMethod[];
  onSignedIn: (session: WalletSession) => void;
}

function PasskeyWay(props: PasskeyWayProps) {
  const supported = usePasskeySupport();
  if (!supported) {
    return <p class="quiet">This browser cannot use passkeys. Sign in with a code, or open the page in another browser.</p>;
  }
  if (props.passkeys.length === 0) {
    return <p class="quiet">There is no passkey for this wallet yet. Sign in with a code, then add one.</p>;
  }
  return <PasskeyButton {...props} />;
}

function PasskeyButton({ passkeys, onSignedIn, signInAgain }: PasskeyWayProps) {
  const { gridkey } = usePage();
  const action = useAction({ signInAgain });
  const [chosen, setChosen] = useState(() => preferred(passkeys));
  const preparation = usePreparation<PasskeySignIn>((authMethodId) => gridkey.preparePasskey({ authMethodId }));
  const [prompt, setPrompt] = useState<PasskeySignIn>();

  useEffect(() => preparation.ahead(chosen), [chosen]);

  const signIn = () =>
    action.run(async () => {
      const passkey = await preparation.get(chosen);
      setPrompt(passkey);
      const session = await passkey.confirm().finally(() => setPrompt(undefined));
      kept.passkey.write(chosen);
      onSignedIn(session);
    });

  return (
    <div class="way">
      {passkeys.length > 1 && (
        <label class="field">
          <span>Passkey</span>
          <select value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
            {passkeys.map(({ id, nickname }) => <option key={id} value={id}>{nickname}</option>)}
          </select>
        </label>
      )}
      <ActionButton action={action} look="primary" onPress={signIn} busyText={prompt && "Waiting for your passkey…"}>
        Sign in with a passkey
      </ActionButton>
      {prompt && <button type="button" class="plain" onClick={() => prompt.cancel()}>Cancel</button>}
      <Status notice={action.notice} />
    </div>
  );
}

interface CodeWayProps extends WayProps {
  method: AuthMethod;
  onSent: (otp: OtpSignIn) => void;
}

function CodeWay({ method, onSent, signInAgain }: CodeWayProps) {
  const { gridkey } = usePage();
  const action = useAction({ signInAgain });
  const send = () => action.run(async () => onSent(await gridkey.sendOtp({ authMethodId: method.id })));
  return (
    <div class="way">
      <ActionButton action={action} onPress={send} busyText="Sending…">
        {method.type === "EMAIL_OTP" ? "E-mail me a code" : "Text me a code"}
      </ActionButton>
      <p class="quiet">to {method.nickname}</p>
      <Status notice={action.notice} />
    </div>
  );
}

interface ProviderWayProps extends WayProps {
  method: AuthMethod;
  provider: Provider;
}

/** The key is made before the provider is asked, because its token is bound to that key. */
function ProviderWay({ method, provider, signInAgain }: ProviderWayProps) {
  const { gridkey } = usePage();
  const action = useAction({ signInAgain });
  const leave = () =>
    action.run(async () => {
      using signIn = await gridkey.prepareOAuth({ authMethodId: method.id, clientId: provider.clientId, redirect: true });
      await depart(provider, signIn);
    });
  return (
    <div class="way">
      <ActionButton action={action} onPress={leave} busyText={`Going to ${provider.name}…`}>
        Go to {provider.name}
      </ActionButton>
      <p class="quiet">as {method.nickname}</p>
      <Status notice={action.notice} />
    </div>
  );
}

/** Goes on with a sign-in that the page was left for. */
function Return({ arrival, onSignedIn }: Pick<SignInProps, "arrival" | "onSignedIn">) {
  const { gridkey } = usePage();
  const action = useAction();
  const goOn = (from: Arrival) =>
    action.run(async () => {
      if ("setback" in from) throw new ProviderError(from.setback);
      using signIn = await gridkey.resumeOAuth(from.oauth);
      onSignedIn(await signIn.submit(from.idToken));
    });
  useEffect(() => void (arrival && goOn(arrival)), []);
  return (
    <>
      {action.busy && <p class="quiet">Signing in with your identity provider…</p>}
      <Status notice={action.notice} />
    </>
  );
}

function usePasskeySupport(): boolean {
  const [supported, setSupported] = useState(true);
  useEffect(() => void capabilities().then(({ passkeys }) => setSupported(passkeys !== false)), []);
  return supported;
}

/** The one used last in this browser, or else the newest. */
function preferred(passkeys: readonly AuthMethod[]): string {
  const last = kept.passkey.read();
  const newest = passkeys.reduce((newer, passkey) => (passkey.createdAt >= newer.createdAt ? passkey : newer));
  return (passkeys.find(({ id }) => id === last) ?? newest).id;
}

/** Takes up the sign-in by code that waits for its code since before a reload. */
async function resumeOtp(gridkey: Gridkey, accountId: string): Promise<OtpSignIn | undefined> {
  const state = kept.otp.read();
  if (state?.accountId !== accountId) return undefined;
  // One that cannot be taken up is of no use: the customer asks for another code.
  return gridkey.resumeOtp(state).catch(() => void kept.otp.clear());
}
