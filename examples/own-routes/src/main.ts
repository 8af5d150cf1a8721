import { createGridkey, isGridkeyError, type AuthMethod, type WalletSession } from "gridkey";
import { ownRoutes } from "./transport.ts";

const element = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const say = (text: string) => (element("news").textContent = text);

const { accountId, enclave } = await (await fetch("/wallet/account")).json();
const gridkey = createGridkey({ transport: ownRoutes(), enclave });

/** Runs what a button does, and says what went wrong. */
const doing = (task: () => Promise<void>) => async () => {
  say("One moment…");
  try {
    await task();
  } catch (error) {
    say(isGridkeyError(error) ? `That did not work: ${error.message}.` : "That did not work.");
  }
};

async function way(method: AuthMethod): Promise<HTMLButtonElement> {
  const button = document.createElement("button");
  const authMethodId = method.id;
  if (method.type === "PASSKEY") {
    button.textContent = `Sign in with passkey “${method.nickname}”`;
    // Ahead of the tap, so that the prompt opens inside it.
    const passkey = await gridkey.preparePasskey({ authMethodId, accountId });
    button.onclick = doing(async () => open(await passkey.confirm()));
  } else {
    button.textContent = `Send a code to ${method.nickname}`;
    button.onclick = doing(async () => {
      const otp = await gridkey.sendOtp({ authMethodId, accountId });
      const form = element<HTMLFormElement>("code-form");
      const code = element<HTMLInputElement>("code");
      form.hidden = false;
      form.onsubmit = (event) => {
        event.preventDefault();
        void doing(async () => open(await otp.submit(code.value.trim())))();
      };
      code.focus();
      say(`We sent a code to ${otp.sentTo}.`);
    });
  }
  return button;
}

function open(session: WalletSession): void {
  element("ways").hidden = element("code-form").hidden = true;
  element("wallet").hidden = false;
  element("sign-out").onclick = doing(async () => {
    await session.signOut();
    location.reload();
  });
  element("sign-out").focus();
  say(`Signed in with ${session.nickname}.`);
}

gridkey.subscribe(() => {
  const { state } = gridkey;
  if (state.status === "signedOut" && state.reason !== "signedOut") location.reload();
});

void doing(async () => {
  const methods = await gridkey.listAuthMethods({ accountId });
  const usable = methods.filter(({ type }) => type !== "OAUTH");
  element("ways").replaceChildren(...(await Promise.all(usable.map(way))));
  say("");
})();
