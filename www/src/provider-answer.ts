/** What an identity provider put into the address. */
export interface ProviderAnswer {
  readonly state: string;
  readonly idToken?: string;
}

/** Takes a provider's answer out of the address, so that no history, bookmark or copied link has the token. */
export function takeProviderAnswer(): ProviderAnswer | undefined {
  const members = new URLSearchParams(location.hash.slice(1));
  const idToken = members.get("id_token");
  if (idToken === null && !members.has("error")) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return { state: members.get("state") ?? "", ...(idToken !== null && { idToken }) };
}
