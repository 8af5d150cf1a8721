import { SealedKeyReceiver, SessionKey, init } from "./node_modules/gridkey/index.js";
import { use } from "./use.js";

addEventListener("message", (event) => {
  const using = use({ SealedKeyReceiver, SessionKey, init }).catch((error) => ({ error: String(error) }));
  event.waitUntil(using.then((outcome) => event.source.postMessage(outcome)));
});
