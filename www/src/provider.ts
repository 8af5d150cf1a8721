// Asking an identity provider who the customer is: by leaving the page, or in a window of its own.

import type { OAuthSignIn, OAuthState } from "gridkey";
import type { Provider } from "./config.ts";
import { kept } from "./kept.ts";
import { takeProviderAnswer, type ProviderAnswer } from "./provider-answer.ts";

/** Why there is no token. */
export type ProviderSetback = "blocked" | "closed" | "denied" | "foreign";

export class ProviderError extends Error {
  constructor(readonly setback: ProviderSetback) {
    super(`no token of the identity provider: ${setback}`);
  }
}

/** What is kept while the page is left. None of it is secret. */
export interface Departure {
  /** Marks the one answer that belongs to it. */
  readonly state: string;
  readonly oauth: OAuthState;
  /** The query of the page's address. */
  readonly search: string;
}

/** How the page was come back to. */
export type Arrival = { readonly oauth: OAuthState; readonly idToken: string } | { readonly setback: ProviderSetback };

/** Leaves the page for the provider. Ends when the browser shows it again without having loaded it. */
export async function depart(provider: Provider, signIn: OAuthSignIn): Promise<void> {
  const oauth = signIn.state;
  if (oauth === undefined) throw new Error("a sign-in that does not outlive the page");
  const state = crypto.randomUUID();
  kept.departure.write({ state, oauth, search: location.search });
  const shownAgain = new Promise((resolve) => addEventListener("pageshow", resolve, { once: true }));
  location.assign(authorizeUrl(provider, { state, nonce: signIn.nonce, redirect_uri: location.origin + location.pathname }));
  await shownAgain;
}

/** What the provider's answer in the address comes to. To be asked once, when the page is loaded. */
export function arrive(): Arrival | undefined {
  const answer = takeProviderAnswer();
  const departure = kept.departure.read();
  // Good for one answer, and not for a page that was come back to without.
  kept.departure.clear();
  if (answer === undefined) return undefined;
  if (departure === undefined) return { setback: "foreign" };
  history.replaceState(null, "", location.pathname + departure.search);
  const token = tokenOf(answer, departure.state);
  return "setback" in token ? token : { oauth: departure.oauth, ...token };
}

const WINDOW = "popup,width=480,height=640";
const LOOK_MS = 500;

/** A token without nonce, asked for in a window of its own. To be called in the tap: browsers block other windows. */
export async function askInWindow(provider: Provider): Promise<string> {
  const state = crypto.randomUUID();
  const popup = open(authorizeUrl(provider, { state, redirect_uri: `${location.origin}/return.html` }), "_blank", WINDOW);
  if (popup === null) throw new ProviderError("blocked");
  const done = new AbortController();
  try {
    const token = tokenOf(await answerOf(popup, done.signal), state);
    if ("setback" in token) throw new ProviderError(token.setback);
    return token.idToken;
  } finally {
    done.abort();
    popup.close();
  }
}

function answerOf(popup: Window, signal: AbortSignal): Promise<ProviderAnswer> {
  return new Promise((resolve, reject) => {
    const hear = ({ origin, source, data }: MessageEvent) => {
      if (origin === location.origin && source === popup && isAnswer(data)) resolve(data);
    };
    addEventListener("message", hear, { signal });
    // An answer may still be on its way when the window has gone.
    let wasClosed = false;
    const look = setInterval(() => {
      if (wasClosed) reject(new ProviderError("closed"));
      wasClosed = popup.closed;
    }, LOOK_MS);
    signal.addEventListener("abort", () => clearInterval(look));
  });
}

function isAnswer(data: unknown): data is ProviderAnswer {
  if (typeof data !== "object" || data === null) return false;
  const { state, idToken } = data as Record<string, unknown>;
  return typeof state === "string" && (idToken === undefined || typeof idToken === "string");
}

function tokenOf({ state, idToken }: ProviderAnswer, expected: string): { idToken: string } | { setback: ProviderSetback } {
  if (state !== expected) return { setback: "foreign" };
  return idToken === undefined ? { setback: "denied" } : { idToken };
}

function authorizeUrl({ authorizeUrl, clientId }: Provider, members: Record<string, string>): string {
  const url = new URL(authorizeUrl, location.href);
  const all = { client_id: clientId, response_type: "id_token", response_mode: "fragment", scope: "openid email", ...members };
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
  return url.href;
}
