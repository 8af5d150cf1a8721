import { isSupported } from "gridkey";
import { Client } from "./client";

/** Rendered on the server, at build time. */
export default function Page() {
  return (
    <main>
      <p id="server">{`supported here: ${isSupported()}`}</p>
      <Client />
    </main>
  );
}
