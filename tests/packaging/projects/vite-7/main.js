import { SealedKeyReceiver, SessionKey, init } from "gridkey";
import { use } from "./use.js";

globalThis.outcome = use({ SealedKeyReceiver, SessionKey, init });
