"use client";

import { useEffect } from "react";
import { SealedKeyReceiver, SessionKey, init, isSupported } from "gridkey";
import { use } from "../use";

/** Rendered on the server as well, where its effects do not run. */
export function Client() {
  useEffect(() => {
    globalThis.outcome = use({ SealedKeyReceiver, SessionKey, init });
  }, []);
  return <p id="client">{typeof isSupported}</p>;
}
