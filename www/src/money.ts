import type { Currency, CurrencyAmount } from "gridkey";

const DEFAULT_DECIMALS = 2;

/** An amount in a currency's smallest unit, in people's own language. */
export function money({ amount, currency: { code = "", decimals = DEFAULT_DECIMALS } }: CurrencyAmount): string {
  const units = amount / 10 ** decimals;
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  try {
    return new Intl.NumberFormat(undefined, { ...digits, style: "currency", currency: code }).format(units);
  } catch {
    // Not one of ISO 4217's, like USDC.
    return `${new Intl.NumberFormat(undefined, digits).format(units)} ${code}`;
  }
}

/** `"12.50"` → `1250`; nothing where it is no amount above zero. */
export function smallestUnits(text: string, { decimals = DEFAULT_DECIMALS }: Currency): number | undefined {
  const [, whole, fraction = ""] = /^(\d+)(?:[.,](\d*))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || fraction.length > decimals) return undefined;
  const amount = Number(whole + fraction.padEnd(decimals, "0"));
  return amount > 0 && Number.isSafeInteger(amount) ? amount : undefined;
}
