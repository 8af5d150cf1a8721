import type { AuthMethod, SessionState, WalletSession } from "gridkey";
import { useRef, useState } from "preact/hooks";
import { ActionButton, Status, useAction } from "./action.tsx";
import { AgentCard } from "./agent.tsx";
import { CardKeyCard } from "./card-key.tsx";
import { ContactCard } from "./contact.tsx";
import { MethodsCard } from "./methods.tsx";
import { usePage } from "./page.ts";
import { PaymentCard } from "./payment.tsx";
import { PrivacyCard } from "./privacy.tsx";
import { SessionsCard } from "./sessions.tsx";
import { Tabs, type Tab } from "./tabs.tsx";
import { clock, useSecondsUntil } from "./time.ts";
import { WordsCard } from "./words.tsx";

export type SignedIn = Extract<SessionState, { status: "signedIn" }>["session"];

/** What every card of the wallet works with. */
export interface CardProps {
  session: WalletSession;
  signInAgain: (text: string) => void;
}

interface WalletProps extends CardProps {
  facts: SignedIn;
  /** Goes on with another session, and ends this one. */
  onSession: (session: WalletSession) => Promise<void>;
  onSignedOut: (revokedAtGrid: boolean) => void;
}

export function Wallet({ session, facts, signInAgain, onSession, onSignedOut }: WalletProps) {
  const { accountId, agentId, cardId, customerId, organizationId } = usePage().config;
  const card = { session, signInAgain };
  const [changes, setChanges] = useState(0);
  const changeSession = (next: WalletSession) => void onSession(next).then(() => setChanges((count) => count + 1));
  const tabs: [Tab, ...Tab[]] = [
    {
      id: "sign-in",
      name: "Sign-in",
      panel: (shown) => (
        <>
          <MethodsCard {...card} shown={shown} onSession={changeSession} />
          <SessionsCard {...card} shown={shown} currentId={facts.id} changes={changes} />
        </>
      ),
    },
  ];
  if (customerId !== undefined) {
    tabs.push({ id: "pay", name: "Pay", panel: () => <PaymentCard {...card} customerId={customerId} /> });
  }
  if (agentId !== undefined || cardId !== undefined) {
    tabs.push({
      id: "agents",
      name: "Agents",
      panel: (shown) => (
        <>
          {agentId !== undefined && <AgentCard agentId={agentId} shown={shown} signInAgain={signInAgain} />}
          {cardId !== undefined && <CardKeyCard {...card} cardId={cardId} accountId={accountId} />}
        </>
      ),
    });
  }
  if (customerId !== undefined || organizationId !== undefined) {
    tabs.push({
      id: "settings",
      name: "Settings",
      panel: (shown) => (
        <>
          {customerId !== undefined && <ContactCard {...card} customerId={customerId} />}
          {customerId !== undefined && <PrivacyCard {...card} customerId={customerId} />}
          {organizationId !== undefined && <WordsCard {...card} shown={shown} />}
        </>
      ),
    });
  }
  return (
    <>
      <h1 id="wallet-heading" tabIndex={-1}>Your wallet is unlocked</h1>
      <SessionCard session={session} facts={facts} signInAgain={signInAgain} onSignedOut={onSignedOut} />
      <Tabs label="Your wallet" tabs={tabs} />
    </>
  );
}

const ENDS_SOON_SECONDS = 120;
/** gridkey ends a session this much before Grid does: what it signs must still get there. */
const ENDS_EARLY_MS = 30_000;

/** How somebody has signed in. */
const BY: Record<AuthMethod["type"], string> = {
  EMAIL_OTP: "a code sent to",
  SMS_OTP: "a code sent to",
  OAUTH: "your account",
  PASSKEY: "your passkey",
};

function SessionCard({ session, facts, signInAgain, onSignedOut }: Omit<WalletProps, "onSession">) {
  const refresh = useAction({ signInAgain });
  const leave = useAction({ signInAgain });
  const left = useSecondsUntil(facts.expiresAt.getTime() - ENDS_EARLY_MS);
  const whole = useRef({ id: "", seconds: 1 });
  if (whole.current.id !== facts.id) whole.current = { id: facts.id, seconds: Math.max(left, 1) };
  const endsSoon = left <= ENDS_SOON_SECONDS;

  return (
    <section class="card" aria-labelledby="session-heading">
      <h2 id="session-heading">Session</h2>
      <p class="lead">Signed in with {BY[facts.type]} <strong>{facts.nickname}</strong>.</p>
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
