import type { GridkeyOptions } from "gridkey";

/** What the platform tells its page: whose wallet this is, and which enclaves to trust. */
export interface Config {
  accountId: string;
  /** Absent where this customer has no agent. */
  agentId?: string;
  enclave: NonNullable<GridkeyOptions["enclave"]>;
  /** Whether this is a local Grid with play money and known codes. */
  sandbox: boolean;
}

/** Fetches `config.json`, which the server writes next to the page. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch("config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`config.json: HTTP ${response.status}`);
  const config: unknown = await response.json();
  if (!isConfig(config)) throw new Error("config.json: accountId, enclave or sandbox is missing");
  return config;
}

function isConfig(value: unknown): value is Config {
  if (typeof value !== "object" || value === null) return false;
  const { accountId, agentId, enclave, sandbox } = value as Record<string, unknown>;
  const agent = agentId === undefined || typeof agentId === "string";
  const trust = enclave === "production" || (typeof enclave === "object" && enclave !== null);
  return typeof accountId === "string" && agent && trust && typeof sandbox === "boolean";
}
