import { useEffect, useRef, useState } from "preact/hooks";
import { ActionButton, Status, useAction } from "./action.tsx";
import type { CardProps } from "./wallet.tsx";

/** How far somebody has gone: the warning, the words here but covered, the words in sight. */
type Step = "closed" | "warned" | "covered" | "shown";

/**
 * The export of the wallet's words. They are never in the page's state: only in bytes that are
 * wiped, and in the list while it is shown.
 */
export function WordsCard({ session, shown, signInAgain }: CardProps & { shown: boolean }) {
  const action = useAction({ signInAgain });
  const [step, setStep] = useState<Step>("closed");
  const [sure, setSure] = useState(false);
  const bytes = useRef<Uint8Array | undefined>(undefined);
  const list = useRef<HTMLOListElement | null>(null);
  /** Counts the times that the words had to go, for those which are still on their way. */
  const wiped = useRef(0);
  const fetching = useRef(false);
  const isOpen = step !== "closed";

  const wipe = () => {
    wiped.current += 1;
    bytes.current?.fill(0);
    bytes.current = undefined;
    list.current?.replaceChildren();
    list.current = null;
  };
  const close = (text?: string) => {
    wipe();
    setStep("closed");
    setSure(false);
    action.say(text === undefined ? undefined : { tone: "good", text });
  };

  useEffect(() => wipe, []);
  useEffect(() => {
    if (!shown) close();
  }, [shown]);
  useEffect(() => {
    if (!isOpen) return;
    const look = () => {
      const words = bytes.current !== undefined || fetching.current;
      if (words && document.visibilityState === "hidden") close(OUT_OF_SIGHT);
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [isOpen]);
  useEffect(() => document.getElementById(FOCUS[step])?.focus(), [step]);

  const fetchWords = () =>
    action.run(async () => {
      const turn = wiped.current;
      fetching.current = true;
      const exported = await session.exportMnemonic().finally(() => (fetching.current = false));
      if (turn !== wiped.current) {
        exported.fill(0);
        return;
      }
      bytes.current = exported;
      setStep("covered");
    });

  /** Written by hand, so that no copy stays in the state of the view. */
  const write = (element: HTMLOListElement | null) => {
    if (element === null || bytes.current === undefined) return;
    list.current = element;
    const words = new TextDecoder().decode(bytes.current).split(" ");
    element.replaceChildren(...words.map((word) => Object.assign(document.createElement("li"), { textContent: word })));
  };

  return (
    <section class="card" aria-labelledby="words-heading">
      <h2 id="words-heading" tabIndex={-1}>The words of your wallet</h2>
      <p class="lead">Twelve or more words that are your wallet itself, to use it elsewhere.</p>
      {step === "closed" && <button type="button" class="plain" onClick={() => setStep("warned")}>Read the warning first</button>}
      {step === "warned" && (
        <div class="inset">
          <h3 id="words-warning" tabIndex={-1}>Whoever has these words has your money</h3>
          <p>
            Anybody who sees them can take everything in your wallet, at any time, from anywhere. They cannot be changed, and what was
            taken cannot be fetched back.
          </p>
          <p>Nobody here will ever ask you for them: no support, no form, no call. Whoever does is a thief.</p>
          <p>Write them on paper. Make no photo, and put them into no message, cloud or password field.</p>
          <label class="choice">
            <input type="checkbox" checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
            <span>Nobody asked me to do this, and nobody can see my screen.</span>
          </label>
          <div class="row">
            {sure && <ActionButton action={action} onPress={fetchWords} busyText="Fetching…">Fetch my words</ActionButton>}
            <button type="button" class="primary" onClick={() => close()}>Leave it</button>
          </div>
        </div>
      )}
      {(step === "covered" || step === "shown") && (
        <div class="inset">
          <h3 id="words-here" tabIndex={-1}>{step === "covered" ? "Your words are here, still covered" : "Your words, in this order"}</h3>
          {step === "shown" && <ol ref={write} class="words" translate={false} />}
          <div class="row">
            {step === "covered" && <button type="button" class="plain" onClick={() => setStep("shown")}>Show them</button>}
            <button type="button" class="primary" onClick={() => close("The words were wiped from this page.")}>
              {step === "covered" ? "Wipe them" : "Hide and wipe them"}
            </button>
          </div>
        </div>
      )}
      <Status notice={action.notice} />
    </section>
  );
}

const OUT_OF_SIGHT = "The page was out of sight, so the words were wiped from it.";

/** What takes the focus on each step. */
const FOCUS: Record<Step, string> = { closed: "", warned: "words-warning", covered: "words-here", shown: "words-here" };
