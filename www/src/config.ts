import type { GridkeyOptions } from "gridkey";

/** What the platform tells its page: whose wallet this is, and which enclaves to trust. */
export interface Config {
  accountId: string;
  /** The account's organization at Turnkey. Without it the wallet's words cannot be exported. */
  organizationId?: string;
  /** What is absent, this customer does not have. */
  agentId?: string;
  cardId?: string;
  customerId?: string;
  externalAccountId?: string;
  /** An identity provider that answers with an ID token in the address (OpenID Connect's implicit flow). */
  oauth?: Provider;
  enclave: NonNullable<GridkeyOptions["enclave"]>;
  /** Whether this is a local Grid with play money and known codes. */
  sandbox: boolean;
}

export interface Provider {
  /** For people. */
  name: string;
  authorizeUrl: string;
  clientId: string;
}

/** Fetches `config.json`, which the server writes next to the page. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch("config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`config.json: HTTP ${response.status}`);
  const config: unknown = await response.json();
  if (!isConfig(config)) throw new Error("config.json: a member is missing or of another type");
  return config;
}

const OPTIONAL = ["organizationId", "agentId", "cardId", "customerId", "externalAccountId"];

function isConfig(value: unknown): value is Config {
  if (!isRecord(value)) return false;
  const { accountId, oauth, enclave, sandbox } = value;
  const trust = enclave === "production" || isRecord(enclave);
  return (
    typeof accountId === "string" && trust && typeof sandbox === "boolean" &&
    OPTIONAL.every((name) => value[name] === undefined || typeof value[name] === "string") &&
    (oauth === undefined || isProvider(oauth))
  );
}

function isProvider(value: unknown): value is Provider {
  return isRecord(value) && ["name", "authorizeUrl", "clientId"].every((name) => typeof value[name] === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
