import { checkIntent, type DelegatedKey, type Intent } from "gridkey";
import { useEffect, useRef, useState } from "preact/hooks";
import { ActionButton, Status, useAction } from "./action.tsx";
import { usePage } from "./page.ts";
import { day } from "./time.ts";
import type { CardProps } from "./wallet.tsx";

interface CardKeyProps extends CardProps {
  accountId: string;
  cardId: string;
}

/** Keys with which the wallet service signs what is paid by card. */
export function CardKeyCard({ session, accountId, cardId, signInAgain }: CardKeyProps) {
  const { gridkey } = usePage();
  const load = useAction({ signInAgain });
  const [keys, setKeys] = useState<readonly DelegatedKey[]>();
  const [adding, setAdding] = useState(false);
  const active = keys?.filter(({ status }) => status === "ACTIVE");

  const fetchKeys = async () => setKeys((await gridkey.api.listDelegatedKeys({ accountId })).delegatedKeys);
  const loadKeys = () => load.run(fetchKeys);
  useEffect(() => void loadKeys(), []);
  const changed = (text: string) => {
    setAdding(false);
    void load.run(async () => (await fetchKeys(), text));
    document.getElementById("card-heading")?.focus();
  };

  return (
    <section class="card" aria-labelledby="card-heading">
      <h2 id="card-heading" tabIndex={-1}>Pay by card</h2>
      <p class="lead">
        With a key of its own, the wallet service signs your card payments without asking you. It has no limit: it can spend all that is
        in your wallet until you take it back.
      </p>
      <ul class="items" aria-busy={load.busy}>
        {active?.map((key) => (
          <KeyItem
            key={key.id}
            delegatedKey={key}
            signInAgain={signInAgain}
            onRevoked={() => changed("The key was taken back. It can no longer pay.")}
          />
        ))}
      </ul>
      <Status notice={load.notice} />
      {!keys && !load.busy && <ActionButton action={load} onPress={loadKeys}>Try again</ActionButton>}
      {active?.length === 0 && !adding && (
        <button type="button" class="plain" onClick={() => setAdding(true)}>Give the card a key</button>
      )}
      {adding && (
        <AddKey
          session={session}
          cardId={cardId}
          signInAgain={signInAgain}
          onAdded={(key) => changed(`“${key.nickname}” can pay for your card now.`)}
          onCancel={() => setAdding(false)}
        />
      )}
    </section>
  );
}

interface KeyItemProps extends Omit<CardProps, "session"> {
  delegatedKey: DelegatedKey;
  onRevoked: () => void;
}

function KeyItem({ delegatedKey, signInAgain, onRevoked }: KeyItemProps) {
  const { gridkey } = usePage();
  const action = useAction({ signInAgain });
  const { id, nickname, createdAt } = delegatedKey;
  const revoke = () =>
    action.run(async () => {
      await gridkey.api.revokeDelegatedKey(id);
      onRevoked();
    });
  return (
    <li>
      <div class="item">
        <strong>{nickname}</strong>
        <span class="quiet">pays since {day(new Date(createdAt))}</span>
      </div>
      <ActionButton action={action} onPress={revoke} busyText="Taking back…">Take back</ActionButton>
      <Status notice={action.notice} />
    </li>
  );
}

/** What is signed for a key, one after the other. Grid documents neither; any other activity is refused. */
const STEPS = [
  { activityType: "ACTIVITY_TYPE_CREATE_USERS_V3", text: "A signer is added to your wallet:" },
  { activityType: "ACTIVITY_TYPE_CREATE_POLICIES", text: "This is what the signer may do from then on:" },
] as const;

const DECLINED = "You did not agree, so nothing more was signed, and the card has no key.";

interface Question {
  readonly step: number;
  readonly parameters: unknown;
  readonly answer: (agreed: boolean) => void;
}

interface AddKeyProps extends CardProps {
  cardId: string;
  onAdded: (key: DelegatedKey) => void;
  onCancel: () => void;
}

function AddKey({ session, cardId, signInAgain, onAdded, onCancel }: AddKeyProps) {
  const action = useAction({
    signInAgain,
    special: ({ code, reason }) => (code === "intent_refused" && reason === "application" ? DECLINED : undefined),
  });
  const input = useRef<HTMLInputElement>(null);
  const asked = useRef<Question | undefined>(undefined);
  const [question, setQuestion] = useState<Question>();

  useEffect(() => input.current?.focus(), []);
  useEffect(() => document.getElementById("question-heading")?.focus(), [question]);
  // Who goes away has not agreed.
  useEffect(() => () => asked.current?.answer(false), []);

  const ask = (step: number, parameters: unknown) =>
    new Promise<boolean>((resolve) => {
      const answer = (agreed: boolean) => {
        asked.current = undefined;
        setQuestion(undefined);
        resolve(agreed);
      };
      asked.current = { step, parameters, answer };
      setQuestion(asked.current);
    });

  const create = (event: Event) => {
    event.preventDefault();
    const nickname = input.current?.value.trim() ?? "";
    let step = 0;
    void action.run(async () => {
      const key = await session.createDelegatedKey({
        cardId,
        nickname,
        intent: async (payload) => {
          const at = step;
          step += 1;
          const intent = intentOf(payload, at);
          // What cannot be signed is not asked about: gridkey refuses it, and says why.
          if (!isSignable(payload, intent)) return intent;
          if (!(await ask(at, intent.parameters))) throw new Error("the customer did not agree");
          return intent;
        },
      });
      onAdded(key);
    });
  };

  return (
    <div class="inset">
      {question && (
        <div class="question" role="group" aria-labelledby="question-heading">
          <h3 id="question-heading" tabIndex={-1}>Read before you sign ({question.step + 1} of {STEPS.length})</h3>
          <p>{STEPS[question.step]?.text}</p>
          <Readable value={question.parameters} />
          <div class="row">
            <button type="button" class="primary" onClick={() => question.answer(true)}>Sign this</button>
            <button type="button" class="plain" onClick={() => question.answer(false)}>Do not sign</button>
          </div>
        </div>
      )}
      <form onSubmit={create} noValidate hidden={question !== undefined}>
        <label class="field">
          <span>Name of the key</span>
          <input ref={input} name="key-name" type="text" autocomplete="off" maxLength={100} required defaultValue="My card" />
        </label>
        <p class="quiet">You will be shown the two things that are signed for it, one after the other.</p>
        <div class="row">
          <ActionButton action={action} look="primary" busyText="One moment…">Show me what is signed</ActionButton>
          <button type="button" class="plain" onClick={onCancel}>Cancel</button>
        </div>
      </form>
      <Status notice={action.notice} />
    </div>
  );
}

type ActivityIntent = Extract<Intent, { kind: "activity" }>;

/** Exactly these parameters, and the one activity that belongs to the step. */
function intentOf(payload: string, step: number): ActivityIntent {
  const { activityType } = STEPS[step] ?? STEPS[0];
  return { kind: "activity", activityType, parameters: parametersOf(payload) };
}

function parametersOf(payload: string): unknown {
  try {
    return (JSON.parse(payload) as { parameters?: unknown }).parameters ?? {};
  } catch {
    return {};
  }
}

function isSignable(payload: string, intent: Intent): boolean {
  try {
    checkIntent(payload, intent);
    return true;
  } catch {
    return false;
  }
}

/** JSON for people: names and values, nested. */
function Readable({ value }: { value: unknown }) {
  if (Array.isArray(value)) {
    if (value.length === 0) return <>none</>;
    return <ul class="readable">{value.map((item, index) => <li key={index}><Readable value={item} /></li>)}</ul>;
  }
  if (typeof value === "object" && value !== null) {
    return (
      <dl class="readable">
        {Object.entries(value).map(([name, member]) => (
          <div key={name}><dt>{name}</dt><dd><Readable value={member} /></dd></div>
        ))}
      </dl>
    );
  }
  return <code>{value === "" ? "(empty)" : String(value)}</code>;
}
