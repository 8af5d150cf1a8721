import { SealedKeyReceiver, SessionKey, init } from "gridkey/inline";
import { use } from "../use.js";

addEventListener("message", (event) => {
  const using = use({ SealedKeyReceiver, SessionKey, init }).catch((error) => ({ error: String(error) }));
  event.waitUntil(using.then((outcome) => event.source.postMessage(outcome)));
});
