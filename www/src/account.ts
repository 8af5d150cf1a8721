import type { InternalAccount } from "gridkey";
import { useEffect, useState } from "preact/hooks";
import { useAction, type Action } from "./action.tsx";
import { usePage } from "./page.ts";

/** The wallet's account at Grid, and how it is looked up again. */
export function useAccount(customerId: string, signInAgain: (text: string) => void) {
  const { config, gridkey } = usePage();
  const action: Action = useAction({ signInAgain });
  const [account, setAccount] = useState<InternalAccount>();
  const load = () =>
    action.run(async () => {
      const { internalAccounts } = await gridkey.api.listCustomerInternalAccounts({ customerId, type: "EMBEDDED_WALLET" });
      setAccount(internalAccounts.find(({ id }) => id === config.accountId));
    });
  useEffect(() => void load(), []);
  return { account, setAccount, load, action };
}
