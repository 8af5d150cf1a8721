// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridClient.ts:28-42, whose way over the
// network the test stands in for

import type { GridEnvelope } from './types.ts';

export interface GridFetchOpts {
  body?: unknown;
  headers?: Record<string, string>;
}
type GridFetch = (method: 'GET' | 'POST', path: string, opts?: GridFetchOpts) => Promise<GridEnvelope>;

let carry: GridFetch | undefined;
export const carryBy = (fetch: GridFetch): void => void (carry = fetch);
export const gridFetch: GridFetch = async (method, path, opts = {}) => {
  if (!carry) throw new Error('nothing carries it');
  return carry(method, path, opts);
};
