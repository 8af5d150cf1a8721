import { createGridkey } from "gridkey";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import "./style.css";

// What your backend knows of the customer who is logged in to your site. A page of yours has it
// from its server; only against a sandbox does it also say which enclave to trust.
const { accountId, enclave } = await (await fetch("/config.json")).json();
const gridkey = createGridkey({ baseUrl: "/api/grid", timeoutMs: 15_000, enclave });

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App gridkey={gridkey} accountId={accountId} />
    </StrictMode>,
  );
}
