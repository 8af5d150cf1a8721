import {
  capabilities,
  isGridkeyError,
  type AuthMethod,
  type Gridkey,
  type GridkeyError,
  type OtpSignIn,
  type PasskeySignIn,
  type WalletSession,
} from "gridkey";
import { useEffect, useRef, useState } from "preact/hooks";
import { ActionButton, Status, useAction, type Notice } from "./action.tsx";
import { useFocus } from "./focus.ts";
import { kept } from "./kept.ts";
import { usePage } from "./page.ts";
import { usePreparation } from "./preparation.ts";
import { useSecondsUntil } from "./time.ts";

interface SignInProps {
  /** Why the last session ended. */
  farewell: Notice | undefined;
  onSignedIn: (session: WalletSession) => void;
}

export function SignIn({ farewell, onSignedIn }: SignInProps) {
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
    return <CodeForm otp={otp} onSignedIn={enter} onBack={beginAnew} />;
  }

  const passkeys = methods?.filter((method) => method.type === "PASSKEY") ?? [];
  const email = methods?.find((method) => method.type === "EMAIL_OTP");

  return (
    <section class="card" aria-labelledby="sign-in-heading">
      <h1 id="sign-in-heading" tabIndex={-1} aria-describedby="farewell">Unlock your wallet</h1>
      <p class="lead">Prove that it is you, and this browser may sign for your wallet for a while.</p>
      <Status notice={setback ?? farewell} id="farewell" />
      {methods && (
        <div class="ways" key={beginning}>
          <PasskeyWay passkeys={passkeys} onSignedIn={onSignedIn} signInAgain={beginAnew} />
          {email && <p class="or" aria-hidden="true">or</p>}
          {email && <EmailWay method={email} onSent={showCodeForm} signInAgain={beginAnew} />}
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

interface EmailWayProps extends WayProps {
  method: AuthMethod;
  onSent: (otp: OtpSignIn) => void;
}

function EmailWay({ method, onSent, signInAgain }: EmailWayProps) {
  const { gridkey } = usePage();
  const action = useAction({ signInAgain });
  const send = () => action.run(async () => onSent(await gridkey.sendOtp({ authMethodId: method.id })));
  return (
    <div class="way">
      <ActionButton action={action} onPress={send} busyText="Sending…">E-mail me a code</ActionButton>
      <p class="quiet">to {method.nickname}</p>
      <Status notice={action.notice} />
    </div>
  );
}

interface CodeFormProps {
  otp: OtpSignIn;
  onSignedIn: (session: WalletSession) => void;
  onBack: (text?: string) => void;
}

const RESEND_AFTER_MS = 30_000;

const CODE_USED_UP = "Your code was right, but signing in failed after that. Ask for another code.";

/** Once Grid has asked for a signature, it has taken the code. */
function isUsedUp(error: GridkeyError): boolean {
  return error.requestId !== undefined && error.recovery === "retry";
}

function CodeForm({ otp, onSignedIn, onBack }: CodeFormProps) {
  const { config } = usePage();
  const submit = useAction({
    signInAgain: onBack,
    special: (error) => (isUsedUp(error) ? CODE_USED_UP : undefined),
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
      kept.otp.write(otp.state);
      setResendAt(Date.now() + RESEND_AFTER_MS);
      return "A new code is on its way. Older codes no longer work.";
    });
  };

  return (
    <section class="card" aria-labelledby="code-heading">
      <h1 id="code-heading">Enter your code</h1>
      <p class="lead">We sent a code to <strong>{otp.sentTo}</strong>.</p>
      {config.sandbox && <p class="hint">This is a sandbox and sends no e-mail. The code is <strong>000000</strong>.</p>}
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
        <ActionButton action={submit} look="primary" busyText="Checking…">Sign in</ActionButton>
      </form>
      <div class="row">
        {untilResend > 0
          ? <p class="quiet">You can ask for another code in {untilResend} s.</p>
          : <ActionButton action={resend} onPress={sendAnother} busyText="Sending…">Send another code</ActionButton>}
        <button type="button" class="plain" onClick={() => onBack()}>Use another way</button>
      </div>
      <Status notice={resend.notice} />
    </section>
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
