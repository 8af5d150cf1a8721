import { useEffect, useRef } from "preact/hooks";

/** When the view changes, and with it `id`, reading and typing go on at that element. */
export function useFocus(id: string): void {
  const last = useRef(id);
  useEffect(() => {
    if (last.current === id) return;
    last.current = id;
    document.getElementById(id)?.focus();
  }, [id]);
}
