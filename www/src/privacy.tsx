import { useAccount } from "./account.ts";
import { ActionButton, Status, useAction } from "./action.tsx";
import type { CardProps } from "./wallet.tsx";

/** Whether others can see the wallet's payments. */
export function PrivacyCard({ session, customerId, signInAgain }: CardProps & { customerId: string }) {
  const { account, setAccount, load, action: loading } = useAccount(customerId, signInAgain);
  const change = useAction({ signInAgain });
  const isPrivate = account?.privateEnabled === true;

  const toggle = () =>
    change.run(async () => {
      const changed = await session.updatePrivacy({ privateEnabled: !isPrivate, allowBlindSigning: true });
      setAccount(changed);
      return changed.privateEnabled ? "Your wallet is private now." : "Your wallet is public now.";
    });

  return (
    <section class="card" aria-labelledby="privacy-heading">
      <h2 id="privacy-heading">Privacy</h2>
      {account && (
        <>
          <p class="lead">
            Your wallet is <strong>{isPrivate ? "private" : "public"}</strong>: {isPrivate ? "only you see" : "everybody can see"} its
            balance and payments.
          </p>
          <p class="quiet">
            This is signed blind: what your key signs is a number from which nobody, nor this page, can read what it is for, so you
            trust the wallet service with it.
          </p>
          <ActionButton action={change} onPress={toggle} busyText="Changing…">Make it {isPrivate ? "public" : "private"}</ActionButton>
        </>
      )}
      <Status notice={change.notice} />
      <Status notice={loading.notice} />
      {!account && !loading.busy && <ActionButton action={loading} onPress={load}>Try again</ActionButton>}
    </section>
  );
}
