// What a customer's TypeScript sees in the package's entries. It is compiled, not run.

import * as gridkey from "gridkey";
import * as inline from "gridkey/inline";
import * as slim from "gridkey/slim";

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

export const sameNames: [Same<keyof typeof gridkey, keyof typeof inline>, Same<keyof typeof gridkey, keyof typeof slim>] = [true, true];
export const sameClasses: [Same<inline.WalletSession, gridkey.WalletSession>, Same<slim.GridkeyOptions, gridkey.GridkeyOptions>] = [true, true];

export async function load(url: URL, bytes: Uint8Array, module: WebAssembly.Module): Promise<gridkey.SessionKey> {
  const options: gridkey.InitOptions = { integrity: gridkey.WASM_INTEGRITY };
  const source: gridkey.WasmSource = url;
  await gridkey.init(undefined, options);
  await inline.init();
  await slim.init(source, options);
  await slim.init(bytes);
  await slim.init(module);
  // @ts-expect-error: it has no loader
  await slim.init();
  // @ts-expect-error: no source
  await gridkey.init(null);
  // @ts-expect-error: a text
  await gridkey.init(url, { integrity: 5 });
  return inline.SessionKey.generate();
}
