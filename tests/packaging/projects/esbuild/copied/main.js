import { SealedKeyReceiver, SessionKey, init } from "gridkey";
import { use } from "../use.js";

// The build copies the file to this address.
globalThis.outcome = use({ SealedKeyReceiver, SessionKey, init }, "/gridkey_bg.wasm");
