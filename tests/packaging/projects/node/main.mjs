import { SealedKeyReceiver, SessionKey, init } from "gridkey";
import { use } from "./use.js";

console.log(JSON.stringify(await use({ SealedKeyReceiver, SessionKey, init })));
