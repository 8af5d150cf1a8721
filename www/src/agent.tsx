import type { AgentDeviceCode } from "gridkey";
import { useEffect, useState } from "preact/hooks";
import { ActionButton, Status, useAction, type Action } from "./action.tsx";
import { usePage } from "./page.ts";
import { clock, useSecondsUntil } from "./time.ts";
import type { CardProps } from "./wallet.tsx";

const AGENT_CONNECTED = "Your agent is already connected, so it needs no code. Disconnect it first to connect it anew.";

interface AgentProps extends Omit<CardProps, "session"> {
  agentId: string;
  shown: boolean;
}

export function AgentCard({ agentId, shown, signInAgain }: AgentProps) {
  const { gridkey } = usePage();
  const [deviceCode, setDeviceCode] = useState<AgentDeviceCode>();
  const copy = useAction();
  const issue = useAction({
    signInAgain,
    special: ({ code }) => (code === "conflict" ? AGENT_CONNECTED : undefined),
  });

  return (
    <section class="card" aria-labelledby="agent-heading">
      <h2 id="agent-heading">Connect an agent</h2>
      <p class="lead">An agent pays on your behalf, within limits you set. Type the code into its software.</p>
      {deviceCode && <DeviceCode key={deviceCode.code} deviceCode={deviceCode} copy={copy} shown={shown} />}
      <ActionButton
        action={issue}
        look={deviceCode ? "plain" : "primary"}
        busyText="Issuing…"
        onPress={() =>
          issue.run(async () => {
            copy.say(undefined);
            setDeviceCode((await gridkey.api.regenerateAgentDeviceCode(agentId)).deviceCode);
            return "Here is your code. Codes issued before no longer work.";
          })}
      >
        {deviceCode ? "Issue another code" : "Issue a code"}
      </ActionButton>
      <Status notice={issue.notice} />
    </section>
  );
}

interface DeviceCodeProps {
  deviceCode: AgentDeviceCode;
  copy: Action;
  shown: boolean;
}

function DeviceCode({ deviceCode, copy, shown }: DeviceCodeProps) {
  const left = useSecondsUntil(new Date(deviceCode.expiresAt).getTime());
  const redeemed = useRedeemed(deviceCode.code, shown && left > 0);
  const copyCode = () =>
    navigator.clipboard.writeText(deviceCode.code).then(
      () => copy.say({ tone: "good", text: "Copied." }),
      () => copy.say({ tone: "bad", text: "The browser did not allow it. Select the code and copy it." }),
    );
  return (
    <>
      <div role="status">
        {redeemed && <p class="notice good">Your agent is connected. Its code is used up.</p>}
        {!redeemed && left === 0 && <p class="notice warn">The code has run out. Issue another one.</p>}
      </div>
      {!redeemed && left > 0 && (
        <div class="inset device-code">
          <output aria-label="Device code">{deviceCode.code}</output>
          <ActionButton action={copy} onPress={() => copy.run(copyCode)}>Copy</ActionButton>
          <p class="quiet">Runs out in <span role="timer">{clock(left)}</span>.</p>
          <Status notice={copy.notice} />
        </div>
      )}
    </>
  );
}

const FIRST_LOOK_MS = 2000;
const LONGEST_MS = 30_000;
const LONGER = 1.5;

/** Whether a device code was redeemed: looked up less and less often, and only while somebody may be looking. */
function useRedeemed(code: string, shown: boolean): boolean {
  const { gridkey } = usePage();
  const [redeemed, setRedeemed] = useState(false);
  const visible = useVisible();
  const watching = shown && visible && !redeemed;

  useEffect(() => {
    if (!watching) return;
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const lookIn = (ms: number) => {
      timer = setTimeout(async () => {
        // What fails is tried again, later still.
        const answer = await gridkey.api.getAgentDeviceCodeStatus(code, { signal: ended.signal }).catch(() => undefined);
        if (ended.signal.aborted) return;
        if (answer?.deviceCodeStatus.redeemed) setRedeemed(true);
        else lookIn(Math.min(ms * LONGER, LONGEST_MS));
      }, ms);
    };
    lookIn(FIRST_LOOK_MS);
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [watching]);
  return redeemed;
}

function useVisible(): boolean {
  const [visible, setVisible] = useState(() => document.visibilityState === "visible");
  useEffect(() => {
    const look = () => setVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return visible;
}
