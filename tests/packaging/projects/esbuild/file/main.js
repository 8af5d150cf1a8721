import { SealedKeyReceiver, SessionKey, init } from "gridkey/slim";
import address from "gridkey/gridkey.wasm";
import { use } from "../use.js";

globalThis.outcome = use({ SealedKeyReceiver, SessionKey, init }, address);
