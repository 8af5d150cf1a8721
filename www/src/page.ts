import type { Gridkey } from "gridkey";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";

/** What every view works with. */
export interface Page {
  readonly config: Config;
  readonly gridkey: Gridkey;
  readonly log: Log;
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === undefined) throw new Error("a view was rendered outside the page");
  return page;
}
