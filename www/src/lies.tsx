import { useRef, useState } from "preact/hooks";
import type { Entry, Log } from "./log.ts";

/** A lie of the sandbox's, in words: what comes instead of the honest answer. */
interface Lie {
  readonly lie: string;
  readonly text: string;
}

/** By what is lied about. Each is told once, in the next answer that has what it is about. */
const LIES: Record<string, readonly Lie[]> = {
  "In whatever is to be signed": [
    { lie: "swapPayload", text: "Hand the wallet's words to a stranger" },
    { lie: "wrongActivityType", text: "The same, but called something else" },
    { lie: "otherOrganization", text: "For somebody else's wallet" },
    { lie: "duplicateMember", text: "Two contradicting statements of what it is" },
    { lie: "escapedDuplicateMember", text: "Two of them, one in disguise" },
    { lie: "duplicateParameter", text: "Two contradicting values" },
    { lie: "escapedDuplicateParameter", text: "Two values, one in disguise" },
    { lie: "extraParameter", text: "With something added that nobody asked for" },
    { lie: "staleTimestamp", text: "An hour old" },
    { lie: "futureTimestamp", text: "For an hour from now" },
    { lie: "expiredChallenge", text: "That has run out already" },
    { lie: "loneSurrogate", text: "With a broken character at its end" },
    { lie: "replay", text: "The same as the last time" },
  ],
  "Where a key, an address or an account is to be signed": [
    { lie: "swapTargetKey", text: "A stranger's key (renewing, exporting, the card)" },
    { lie: "swapAttestation", text: "A stranger's passkey" },
    { lie: "otherEmail", text: "A stranger's e-mail address" },
    { lie: "otherPhone", text: "A stranger's phone number" },
    { lie: "otherOidcToken", text: "A stranger's account at the provider" },
    { lie: "secondProvider", text: "A second account beside yours" },
    { lie: "twoIds", text: "Two things to end instead of one" },
    { lie: "otherSignWith", text: "Another wallet to pay from (once one was used)" },
    { lie: "otherWalletId", text: "Another wallet to export (once one was exported)" },
  ],
  "With a code": [
    { lie: "jsonPayloadForOtp", text: "An order instead of the code's receipt" },
    { lie: "otherTokenKey", text: "A receipt for a stranger's key" },
    { lie: "otherContact", text: "A receipt for a stranger's address" },
    { lie: "otherTokenType", text: "A receipt for a code sent another way" },
    { lie: "expiredToken", text: "A receipt that has run out" },
    { lie: "otherEnclaveKey", text: "Signed by nobody that is known" },
    { lie: "exportEnclaveKey", text: "Signed by the wrong enclave" },
    { lie: "tamperBundle", text: "One byte changed" },
    { lie: "compressedTarget", text: "The enclave's key in the wrong form" },
    { lie: "invalidCurveTarget", text: "An enclave's key that is none" },
    { lie: "truncateBundle", text: "Cut off in the middle" },
    { lie: "oversizedBundle", text: "Far too long" },
  ],
  "In a session's key": [
    { lie: "tamperSealedKey", text: "One byte changed" },
    { lie: "swapAnswerKey", text: "Sealed to a stranger" },
    { lie: "sealedKeyUnasked", text: "A key that nobody asked for" },
    { lie: "noSealedKey", text: "No key at all" },
  ],
  "In the wallet's words": [
    { lie: "exportOtherOrganization", text: "Of somebody else's wallet" },
    { lie: "exportOtherEnclaveKey", text: "Signed by nobody that is known" },
    { lie: "exportOtpEnclaveKey", text: "Signed by the wrong enclave" },
    { lie: "tamperExport", text: "One byte changed" },
    { lie: "exportOtherReceiver", text: "Sealed to a stranger" },
    { lie: "exportNotUtf8", text: "Words that are no text" },
  ],
};

const ALL = Object.values(LIES).flat();

/** Where the demo serves the sandbox's own surface. */
const CONTROL = "/grid/sandbox/control";

interface Told extends Lie {
  /** The newest entry of the log when it was ordered. */
  readonly after: string | undefined;
}

/** Makes the relay lie, and shows what the client noticed. */
export function Lies({ log }: { log: Log }) {
  const select = useRef<HTMLSelectElement>(null);
  const [told, setTold] = useState<Told>();
  const [failed, setFailed] = useState(false);
  const noticed = told && noticedOf(told, log.entries);

  const tell = async () => {
    const lie = ALL.find(({ lie }) => lie === select.current?.value);
    if (lie === undefined) return;
    const { ok } = await fetch(CONTROL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ command: "lie", lie: lie.lie }),
    }).catch(() => ({ ok: false }));
    setFailed(!ok);
    setTold(ok ? { ...lie, after: log.entries.at(-1)?.key } : undefined);
  };

  return (
    <section class="panel" aria-labelledby="lies-heading">
      <h3 id="lies-heading">Make the relay lie</h3>
      <label class="field">
        <span>What comes instead of the honest answer</span>
        <select ref={select} id="lie">
          {Object.entries(LIES).map(([about, lies]) => (
            <optgroup key={about} label={about}>
              {lies.map(({ lie, text }) => <option key={lie} value={lie}>{text}</option>)}
            </optgroup>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => void tell()}>Lie once</button>
      <div role="status">
        {failed && <p class="notice bad">The sandbox could not be told.</p>}
        {told && !noticed && <p class="notice warn">The next answer that this can be in will be false. Go on as usual.</p>}
        {noticed && <Noticed {...noticed} told={told} />}
      </div>
    </section>
  );
}

interface Notice {
  readonly error: Extract<Entry, { kind: "error" }>;
  /** The operation that was answered falsely. */
  readonly operation: string | undefined;
  /** How many requests were signed after it. */
  readonly signed: number;
}

/** The first error since the lie was ordered, and the request before it that began what then failed. */
function noticedOf({ after }: Told, entries: readonly Entry[]): Notice | undefined {
  const since = entries.slice(entries.findIndex(({ key }) => key === after) + 1);
  const at = since.findIndex(({ kind }) => kind === "error");
  const error = since[at];
  if (error?.kind !== "error") return undefined;
  const requests = since.slice(0, at).flatMap((entry) => (entry.kind === "request" ? [entry.sent] : []));
  const isBeginning = ({ method, signed }: (typeof requests)[number]) => method !== "GET" && !signed;
  const asked = requests.findLastIndex((sent) => isBeginning(sent) && !AHEAD.includes(sent.operation));
  const begun = asked === -1 ? requests.findLastIndex(isBeginning) : asked;
  const signed = requests.slice(begun + 1).filter(({ signed }) => signed).length;
  return { error, operation: requests[begun]?.operation, signed };
}

/** What is fetched before somebody asks for something, and again after it has failed. */
const AHEAD = ["createPasskeyRegistrationOptions", "challengeAuthCredential"];

function Noticed({ told, error, operation, signed }: Notice & { told: Told }) {
  const { reason, activityType } = error.facts;
  return (
    <div class="notice good">
      <p>
        <strong>The client noticed{error.name === "intent_refused" ? ". Nothing was signed." : ", and did not use the answer."}</strong>{" "}
        The next attempt is not lied to.
      </p>
      <dl class="facts">
        {operation && <><dt>asked for</dt><dd><code>{operation}</code></dd></>}
        <dt>came</dt><dd>{told.text}{activityType && <>: <code>{activityType}</code></>}</dd>
        <dt>error</dt><dd><code>{error.name}</code></dd>
        {reason && <><dt>reason</dt><dd><code>{reason}</code></dd></>}
        <dt>signatures</dt><dd>{signed} sent since</dd>
      </dl>
    </div>
  );
}
