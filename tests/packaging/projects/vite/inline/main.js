import { SealedKeyReceiver, SessionKey, init } from "gridkey/inline";
import { use } from "../use.js";

globalThis.outcome = use({ SealedKeyReceiver, SessionKey, init });
