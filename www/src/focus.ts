import { useEffect, useRef } from "preact/hooks";

/** When the view changes, and with it `id` or `turn`, reading and typing go on at that element. */
export function useFocus(id: string, turn = 0): void {
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) document.getElementById(id)?.focus();
    first.current = false;
  }, [id, turn]);
}
