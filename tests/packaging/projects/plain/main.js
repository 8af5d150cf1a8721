import { SealedKeyReceiver, SessionKey, init } from "./node_modules/gridkey/index.js";
import { use } from "./use.js";

globalThis.outcome = use({ SealedKeyReceiver, SessionKey, init });
