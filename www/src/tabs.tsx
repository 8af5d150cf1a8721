import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";

export interface Tab {
  readonly id: string;
  readonly name: string;
  /** Rendered from the first time on that it is shown; told whether it is shown. */
  readonly panel: (shown: boolean) => ComponentChildren;
}

interface TabsProps {
  label: string;
  tabs: readonly [Tab, ...Tab[]];
}

/** Tabs as the ARIA Authoring Practices have them: one stop of the Tab key, arrow keys between them. */
export function Tabs({ label, tabs }: TabsProps) {
  const [chosen, setChosen] = useState(tabs[0].id);
  const seen = useRef(new Set<string>());
  const list = useRef<HTMLDivElement>(null);
  seen.current.add(chosen);

  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex(({ id }) => id === chosen);
    const places: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 };
    const place = places[event.key];
    const next = place === undefined ? undefined : tabs.at(place % tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    setChosen(next.id);
    list.current?.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
  };

  return (
    <>
      <div ref={list} class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-controls={`panel-${id}`}
            aria-selected={id === chosen}
            tabIndex={id === chosen ? 0 : -1}
            onClick={() => setChosen(id)}
          >
            {name}
          </button>
        ))}
      </div>
      {tabs.map(({ id, panel }) => (
        <div key={id} class="panel-of-tab" role="tabpanel" id={`panel-${id}`} aria-labelledby={`tab-${id}`} hidden={id !== chosen}>
          {seen.current.has(id) && panel(id === chosen)}
        </div>
      ))}
    </>
  );
}
