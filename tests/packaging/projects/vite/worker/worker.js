import { SealedKeyReceiver, SessionKey, init } from "gridkey";
import { use } from "../use.js";

use({ SealedKeyReceiver, SessionKey, init }).then(postMessage, (error) => postMessage({ error: String(error) }));
