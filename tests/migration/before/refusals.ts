// lightsparkdev/grid-api cf2510e, components/grid-wallet-prod/src/lib/gridSession.ts:73-81

import type { GridEnvelope } from './types.ts';

// #region
function assertOk(env: GridEnvelope, expected: number[], where: string): void {
  if (!expected.includes(env.response.status)) {
    const body = env.response.body as { error?: { code?: string; message?: string } };
    throw new Error(
      `${where}: expected ${expected.join('/')}, got ${env.response.status} ` +
        `(${body?.error?.code ?? ''} ${body?.error?.message ?? ''})`.trim(),
    );
  }
}
// #endregion

export { assertOk };
