import { SealedKeyReceiver, SessionKey, init } from "./node_modules/gridkey/index.js";
import { use } from "./use.js";

use({ SealedKeyReceiver, SessionKey, init }).then(postMessage, (error) => postMessage({ error: String(error) }));
