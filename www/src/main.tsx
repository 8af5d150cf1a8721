import { isSupported } from "gridkey";
import { render } from "preact";
import { App } from "./app.tsx";
import { loadConfig } from "./config.ts";
import { arrive } from "./provider.ts";
import "./styles.css";

// First of all, because a token may be in the address.
const arrival = arrive();
const root = document.getElementById("page");
if (root) void start(root);

async function start(root: HTMLElement): Promise<void> {
  if (!isSupported()) {
    render(<Failure text="This browser cannot keep keys safely. Update it, turn off its lockdown mode, or use another one." />, root);
    return;
  }
  try {
    const config = await loadConfig();
    render(<App config={config} arrival={arrival} />, root);
  } catch (error) {
    console.error(error);
    render(<Failure text="The page could not be set up: the server did not say whose wallet to open. Try again in a moment." />, root);
  }
}

function Failure({ text }: { text: string }) {
  return (
    <main>
      <section class="card" role="alert">
        <h1>The wallet cannot be opened</h1>
        <p class="lead">{text}</p>
        <button type="button" class="primary" onClick={() => location.reload()}>Try again</button>
      </section>
    </main>
  );
}
