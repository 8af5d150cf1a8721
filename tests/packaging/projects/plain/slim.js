import { SealedKeyReceiver, SessionKey, init } from "./node_modules/gridkey/slim.js";
import { use } from "./use.js";

const address = "./node_modules/gridkey/wasm/gridkey_bg.wasm";

globalThis.outcome = use({ SealedKeyReceiver, SessionKey, init }, address);
