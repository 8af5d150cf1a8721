import { isGridkeyError, type Currency, type GridkeyError, type Quote, type QuoteRequest } from "gridkey";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useAccount } from "./account.ts";
import { ActionButton, Status, useAction } from "./action.tsx";
import { money, smallestUnits } from "./money.ts";
import { usePage } from "./page.ts";
import { clock, useSecondsUntil } from "./time.ts";
import type { CardProps } from "./wallet.tsx";

type Destination = QuoteRequest["destination"];

/** A payment under way: what was asked for, and Grid's last word on it. */
interface Payment {
  readonly quote: Quote;
  readonly recipient: string;
  /** The same for every attempt, so that no attempt pays twice. */
  readonly idempotencyKey: string;
  /** An answer did not arrive, so it may have been paid; `false` once that was found out. */
  readonly isUnknown?: boolean;
}

export function PaymentCard({ session, customerId, signInAgain }: CardProps & { customerId: string }) {
  const { account, load, action: loading } = useAccount(customerId, signInAgain);
  const [payment, setPayment] = useState<Payment>();
  const [done, setDone] = useState(0);
  const card = { session, signInAgain };

  useEffect(() => {
    if (payment) document.getElementById("payment-view")?.focus();
  }, [payment?.quote.status, payment?.isUnknown]);
  const leave = () => {
    setPayment(undefined);
    setDone(done + 1);
    void load();
    document.getElementById("payment-heading")?.focus();
  };

  return (
    <section class="card" aria-labelledby="payment-heading">
      <h2 id="payment-heading" tabIndex={-1}>Pay</h2>
      {account && <p class="lead">You have <strong>{money(account.balance)}</strong>.</p>}
      <Status notice={loading.notice} />
      {!account && !loading.busy && <ActionButton action={loading} onPress={load}>Try again</ActionButton>}
      {account && !payment && (
        <AskForQuote key={done} {...card} accountId={account.id} currency={account.balance.currency} onQuote={setPayment} />
      )}
      {payment && <PaymentView {...card} payment={payment} onChange={setPayment} onLeave={leave} />}
    </section>
  );
}

const BANK = "your bank account";
const NOT_AS_ASKED = "The offer that came is not for what you asked for. Nothing was signed. Try again later or contact support.";

interface AskForQuoteProps extends CardProps {
  accountId: string;
  currency: Currency;
  onQuote: (payment: Payment) => void;
}

function AskForQuote({ accountId, currency, signInAgain, onQuote }: AskForQuoteProps) {
  const { config, gridkey } = usePage();
  const action = useAction({ signInAgain, special: unsuitable });
  const [toBank, setToBank] = useState(config.externalAccountId !== undefined);
  const amount = useRef<HTMLInputElement>(null);
  const address = useRef<HTMLInputElement>(null);
  const [invalid, setInvalid] = useState<"amount" | "address">();

  const ask = (event: Event) => {
    event.preventDefault();
    const lockedCurrencyAmount = smallestUnits(amount.current?.value ?? "", currency);
    const umaAddress = address.current?.value.trim() ?? "";
    const wrong = lockedCurrencyAmount === undefined ? "amount" : !toBank && !/^\$[^@\s]+@[^@\s]+$/.test(umaAddress) ? "address" : undefined;
    setInvalid(wrong);
    if (lockedCurrencyAmount === undefined || wrong !== undefined) {
      action.say({ tone: "bad", text: wrong === "amount" ? "Enter an amount, like 12.50." : "Enter an address, like $ada@example.com." });
      (wrong === "amount" ? amount : address).current?.focus();
      return;
    }
    const destination: Destination =
      toBank && config.externalAccountId !== undefined
        ? { destinationType: "ACCOUNT", accountId: config.externalAccountId }
        : { destinationType: "UMA_ADDRESS", umaAddress };
    void action.run(async () => {
      const idempotencyKey = crypto.randomUUID();
      const { quote } = await gridkey.api.createQuote(
        { source: { sourceType: "ACCOUNT", accountId }, destination, lockedCurrencySide: "SENDING", lockedCurrencyAmount },
        { idempotencyKey },
      );
      if (!isAsAsked(quote, accountId, destination, lockedCurrencyAmount)) {
        action.say({ tone: "bad", text: NOT_AS_ASKED });
        return;
      }
      onQuote({ quote, recipient: toBank ? BANK : umaAddress, idempotencyKey: crypto.randomUUID() });
    });
  };

  return (
    <form onSubmit={ask} noValidate>
      <label class="field">
        <span>Amount in {currency.code ?? "your currency"}</span>
        <input
          ref={amount}
          name="amount"
          type="text"
          inputMode="decimal"
          autocomplete="off"
          maxLength={20}
          required
          aria-invalid={invalid === "amount"}
          aria-describedby="quote-status"
        />
      </label>
      {config.externalAccountId !== undefined && (
        <fieldset class="choices">
          <legend>To</legend>
          <label class="choice">
            <input type="radio" name="recipient" checked={toBank} onChange={() => setToBank(true)} />
            <span>Your bank account</span>
          </label>
          <label class="choice">
            <input type="radio" name="recipient" checked={!toBank} onChange={() => setToBank(false)} />
            <span>Somebody's address</span>
          </label>
        </fieldset>
      )}
      {!toBank && (
        <label class="field">
          <span>Address</span>
          <input
            ref={address}
            name="address"
            type="text"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxLength={320}
            placeholder="$ada@example.com"
            required
            aria-invalid={invalid === "address"}
            aria-describedby="quote-status"
          />
        </label>
      )}
      <Status notice={action.notice} id="quote-status" />
      <ActionButton action={action} look="primary" busyText="Asking…">See what it costs</ActionButton>
    </form>
  );
}

function unsuitable({ gridCode }: GridkeyError): string | undefined {
  switch (gridCode) {
    case "AMOUNT_OUT_OF_RANGE":
      return "This amount is too small or too large to be sent. Choose another one.";
    case "INVALID_UMA_ADDRESS":
      return "There is no such address. Check it.";
    default:
      return undefined;
  }
}

function isAsAsked({ source, destination, totalSendingAmount }: Quote, accountId: string, asked: Destination, amount: number): boolean {
  const same = asked.destinationType === "ACCOUNT" ? destination.accountId === asked.accountId : destination.umaAddress === asked.umaAddress;
  return same && source.accountId === accountId && totalSendingAmount === amount;
}

interface PaymentViewProps extends CardProps {
  payment: Payment;
  onChange: (payment: Payment) => void;
  onLeave: () => void;
}

function PaymentView(props: PaymentViewProps) {
  const { payment, onLeave } = props;
  if (payment.isUnknown) {
    return (
      <View title="We do not know whether this was paid" {...props}>
        <p class="notice warn">No answer came. Do not pay again before you have looked.</p>
        <LookAgain {...props} look="primary" />
      </View>
    );
  }
  switch (payment.quote.status) {
    case "PENDING":
      return <Offer {...props} />;
    case "PENDING_AUTHORIZATION":
      return <Authorization {...props} />;
    case "PROCESSING":
      return (
        <View title="Your payment is on its way" {...props}>
          <div class="row">
            <LookAgain {...props} />
            <button type="button" class="plain" onClick={onLeave}>Done</button>
          </div>
        </View>
      );
    case "COMPLETED":
      return (
        <View title="Paid" {...props}>
          <button type="button" class="primary" onClick={onLeave}>Done</button>
        </View>
      );
    default:
      return (
        <View title={payment.quote.status === "EXPIRED" ? "The offer has run out" : "The payment failed"} {...props}>
          <p>Nothing was paid.</p>
          <button type="button" class="primary" onClick={onLeave}>Begin again</button>
        </View>
      );
  }
}

/** What is paid, under what there is to say or do. */
function View({ title, payment, children }: { title: string; payment: Payment; children: ComponentChildren }) {
  const { quote, recipient } = payment;
  const { sendingCurrency, receivingCurrency, totalSendingAmount, totalReceivingAmount, feesIncluded } = quote;
  return (
    <div class="inset">
      <h3 id="payment-view" tabIndex={-1}>{title}</h3>
      <dl class="facts">
        <dt>You pay</dt><dd><strong>{money({ amount: totalSendingAmount, currency: sendingCurrency })}</strong></dd>
        <dt>of which fees</dt><dd>{money({ amount: feesIncluded, currency: sendingCurrency })}</dd>
        <dt>To</dt><dd>{recipient}</dd>
        <dt>Arrives</dt><dd>{money({ amount: totalReceivingAmount, currency: receivingCurrency })}</dd>
      </dl>
      {children}
    </div>
  );
}

function Offer(props: PaymentViewProps) {
  const { session, payment, signInAgain, onChange, onLeave } = props;
  const { quote, idempotencyKey } = payment;
  const action = useAction({ signInAgain, special: ({ code }) => (code === "conflict" ? TAKEN : undefined) });
  const left = useSecondsUntil(new Date(quote.expiresAt).getTime());

  const pay = () =>
    action.run(async () => {
      try {
        onChange({ ...payment, quote: await session.executeQuote(quote, { allowBlindSigning: true, idempotencyKey }) });
      } catch (error) {
        if (isUnknown(error)) onChange({ ...payment, isUnknown: true });
        throw error;
      }
    });

  return (
    <View title="Is this right?" {...props}>
      {payment.isUnknown === false && <p class="notice good">It was not paid. You can still do it.</p>}
      <p class="quiet">
        {left > 0 ? <>This offer stands for <span role="timer">{clock(left)}</span>.</> : "This offer has run out. Ask for another one."}
      </p>
      {left > 0 && (
        <p class="quiet">
          Paying is signed blind: in what your key signs, neither the amount nor the recipient can be read, so you trust the wallet
          service to pay what stands here.
        </p>
      )}
      <div class="row">
        {left > 0 && (
          <ActionButton action={action} look="primary" onPress={pay} busyText="Paying…">
            Pay {money({ amount: quote.totalSendingAmount, currency: quote.sendingCurrency })}
          </ActionButton>
        )}
        <button type="button" class="plain" onClick={onLeave}>{left > 0 ? "Do not pay" : "Begin again"}</button>
      </div>
      <Status notice={action.notice} />
    </View>
  );
}

const TAKEN = "This offer was used, or has run out. Look at your balance, then begin again.";

/** Nobody can say whether a payment was made whose answer did not arrive. */
function isUnknown(error: unknown): boolean {
  return isGridkeyError(error) && (error.reason === "outcome_unknown" || (error.operation === "authorizeQuote" && error.recovery === "retry"));
}

const LOCKED = "There were too many wrong codes, so payments are locked for 15 minutes.";

/** Strong customer authentication: the customer proves once more who they are, for this payment. */
function Authorization(props: PaymentViewProps) {
  const { payment, signInAgain, onChange, onLeave } = props;
  const { config, gridkey } = usePage();
  const { id, scaChallenge } = payment.quote;
  const confirm = useAction({
    signInAgain,
    special: ({ gridCode }) => (gridCode === "ACCOUNT_LOCKED" ? LOCKED : undefined),
  });
  const resend = useAction({ signInAgain });
  const input = useRef<HTMLInputElement>(null);
  const isWrong = confirm.notice?.tone === "bad";
  const isApp = scaChallenge?.factor === "TOTP";

  useEffect(() => {
    if (isWrong) input.current?.select();
  }, [confirm.notice]);

  const submit = (event: Event) => {
    event.preventDefault();
    resend.say(undefined);
    const code = input.current?.value.replace(/\s/g, "") ?? "";
    void confirm.run(async () => {
      try {
        onChange({ ...payment, quote: (await gridkey.api.authorizeQuote(id, { code })).quote });
      } catch (error) {
        if (isUnknown(error)) onChange({ ...payment, isUnknown: true });
        throw error;
      }
    });
  };
  const sendAnother = () =>
    resend.run(async () => {
      await gridkey.api.resendQuoteScaCode(id);
      return "Another code is on its way.";
    });

  if (scaChallenge?.factor === "PASSKEY") {
    return (
      <View title="One more proof that it is you" {...props}>
        <p class="notice warn">This payment asks for a passkey, which this page cannot give for payments. Nothing was paid.</p>
        <button type="button" class="plain" onClick={onLeave}>Back</button>
      </View>
    );
  }
  return (
    <View title="One more proof that it is you" {...props}>
      <p>{isApp ? "Enter the code of your authenticator app." : "We sent you a code by text message, for this payment alone."}</p>
      {config.sandbox && <p class="hint">This is a sandbox and sends no messages. The code is <strong>123456</strong>.</p>}
      <form onSubmit={submit} noValidate>
        <label class="field">
          <span>Code for this payment</span>
          <input
            ref={input}
            name="payment-code"
            type="text"
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={12}
            required
            aria-invalid={isWrong}
            aria-describedby="payment-code-status"
          />
        </label>
        <Status notice={confirm.notice} id="payment-code-status" />
        <ActionButton action={confirm} look="primary" busyText="Checking…">Confirm the payment</ActionButton>
      </form>
      <div class="row">
        {!isApp && <ActionButton action={resend} onPress={sendAnother} busyText="Sending…">Send another code</ActionButton>}
        <button type="button" class="plain" onClick={onLeave}>Do not pay</button>
      </div>
      <Status notice={resend.notice} />
    </View>
  );
}

/** Asks Grid how it stands with the payment. */
function LookAgain({ payment, signInAgain, onChange, look = "plain" }: PaymentViewProps & { look?: "primary" | "plain" }) {
  const { gridkey } = usePage();
  const action = useAction({ signInAgain });
  const press = () =>
    action.run(async () => {
      const { quote } = await gridkey.api.getQuoteById(payment.quote.id);
      onChange({ ...payment, quote, isUnknown: false });
    });
  return (
    <>
      <ActionButton action={action} look={look} onPress={press} busyText="Looking…">Look again</ActionButton>
      <Status notice={action.notice} />
    </>
  );
}
