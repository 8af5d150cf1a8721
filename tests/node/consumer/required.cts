// The same of CommonJS. It is compiled, not run.

import gridkey = require("gridkey");
import inline = require("gridkey/inline");
import slim = require("gridkey/slim");

export async function load(): Promise<gridkey.WalletSession | undefined> {
  await slim.init("/gridkey.wasm", { integrity: gridkey.WASM_INTEGRITY });
  await inline.init();
  // @ts-expect-error: it has no loader
  await slim.init();
  const client: gridkey.Gridkey = inline.createGridkey({ baseUrl: "/api/grid" });
  const [method] = await client.listAuthMethods({ accountId: "InternalAccount:1" });
  if (method === undefined) return undefined;
  try {
    return await client.signInWithPasskey({ authMethodId: method.id });
  } catch (error) {
    if (slim.isGridkeyError(error) && error.code === "passkey_not_used") return undefined;
    // @ts-expect-error: there is no such code
    if (slim.isGridkeyError(error) && error.code === "passkey_lost") return undefined;
    throw error;
  }
}
